"""Each library with its defaults, stopped early on the validation rows where it can.

A learner takes the parts and the arguments, and returns a function that predicts features: probabilities (rows x classes,
in the order of the second value) or numbers. Imports are inside, so that a peer loads its own library alone.
"""

import numpy as np
import pandas as pd

import tables

# Enough for every set; the validation rows say when to stop.
ROUNDS, PATIENCE = 4000, 100

PYTABKIT = ["pytabkit.models.sklearn.sklearn_interfaces"]


def joined(train, validation):
    join = lambda a, b: pd.concat([a, b]) if isinstance(a, pd.DataFrame) else np.concatenate([a, b])
    return tables.Part(*(join(getattr(train, name), getattr(validation, name)) for name in ("x", "y", "weight", "exposure")))


def sklearn(train, validation, arguments):
    """MLPClassifier and MLPRegressor with early stopping, which hold out rows of their own."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    learn = joined(train, validation)
    text = tables.is_text(learn.x)
    numbers = [name for name in learn.x if name not in text]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", dtype=np.float32), text),
    )
    x = encoder.fit_transform(learn.x)
    options = {"early_stopping": True, "random_state": arguments.seed}
    if arguments.task == "classification":
        model = MLPClassifier(**options).fit(x, learn.y)
        return lambda x: model.predict_proba(encoder.transform(x)), model.classes_
    if arguments.task == "count":
        model = MLPRegressor(loss="poisson", **options).fit(x, learn.y, sample_weight=learn.weight)
        return lambda x: model.predict(encoder.transform(x)), None
    mean, std = np.average(learn.y, weights=learn.weight), learn.y.std()
    model = MLPRegressor(**options).fit(x, (learn.y - mean) / std, sample_weight=learn.weight)
    return lambda x: mean + std * model.predict(encoder.transform(x)), None


def lightgbm(train, validation, arguments):
    from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping

    x, x_validation = tables.as_categories(train.x, validation.x)
    renamed = {name: f"f{place}" for place, name in enumerate(x)}  # it refuses some characters
    prepare = lambda table: tables.as_categories(train.x, table)[1].rename(columns=renamed)
    options = {"n_estimators": ROUNDS, "random_state": arguments.seed, "n_jobs": arguments.threads, "verbose": -1}
    objective = {"count": "poisson", "gamma": "gamma"}.get(arguments.task)
    classifier = arguments.task == "classification"
    model = LGBMClassifier(**options) if classifier else LGBMRegressor(objective=objective, **options)
    model.fit(
        x.rename(columns=renamed),
        train.y,
        sample_weight=train.weight,
        eval_set=[(x_validation.rename(columns=renamed), validation.y)],
        eval_sample_weight=[validation.weight],
        callbacks=[early_stopping(PATIENCE, verbose=False)],
    )
    if classifier:
        return lambda x: model.predict_proba(prepare(x)), model.classes_
    return lambda x: model.predict(prepare(x)), None


def xgboost(train, validation, arguments):
    from xgboost import XGBClassifier, XGBRegressor

    x, x_validation = tables.as_categories(train.x, validation.x)
    prepare = lambda table: tables.as_categories(train.x, table)[1]
    options = {
        "n_estimators": ROUNDS,
        "early_stopping_rounds": PATIENCE,
        "random_state": arguments.seed,
        "n_jobs": arguments.threads,
        "enable_categorical": True,
    }
    y, y_validation, classes = train.y, validation.y, None
    if arguments.task == "classification":
        classes = sorted(set(train.y))
        y, y_validation = (np.searchsorted(classes, y.astype(str)) for y in (train.y, validation.y))
        model = XGBClassifier(**options)
    else:
        objective = {"count": "count:poisson", "gamma": "reg:gamma"}.get(arguments.task, "reg:squarederror")
        model = XGBRegressor(objective=objective, **options)
    model.fit(
        x,
        y,
        sample_weight=train.weight,
        eval_set=[(x_validation, y_validation)],
        sample_weight_eval_set=[validation.weight],
        verbose=False,
    )
    if classes is not None:
        return lambda x: model.predict_proba(prepare(x)), classes
    return lambda x: model.predict(prepare(x)), None


def catboost(train, validation, arguments):
    from catboost import CatBoostClassifier, CatBoostRegressor, Pool

    text = tables.is_text(train.x)
    prepare = lambda table: tables.as_text(table)[0]
    pool = lambda part: Pool(prepare(part.x), part.y, cat_features=text, weight=part.weight)
    # It has no gamma cost; Tweedie's comes near it as the power comes near 2.
    loss = {"count": "Poisson", "gamma": "Tweedie:variance_power=1.99", "regression": "RMSE"}.get(arguments.task)
    options = {
        "iterations": ROUNDS,
        "random_seed": arguments.seed,
        "thread_count": arguments.threads,
        "loss_function": loss,
        "allow_writing_files": False,
        "verbose": False,
    }
    model = (CatBoostClassifier if loss is None else CatBoostRegressor)(**options)
    model.fit(pool(train), eval_set=pool(validation), early_stopping_rounds=PATIENCE)
    if loss is None:
        return lambda x: model.predict_proba(prepare(x)), model.classes_
    # Those with a log link predict its argument unless asked.
    kind = "RawFormulaVal" if arguments.task == "regression" else "Exponent"
    return lambda x: model.predict(prepare(x), prediction_type=kind), None


def pytabkit(kind):
    """A learner of pytabkit. It refuses missing numbers, takes no weights, and has neither a Poisson nor a gamma cost."""

    def learn(train, validation, arguments):
        from pytabkit.models.sklearn import sklearn_interfaces

        classifier = arguments.task == "classification"
        model = getattr(sklearn_interfaces, kind + ("_Classifier" if classifier else "_Regressor"))
        x, x_validation = tables.as_text(*tables.without_gaps(train.x, validation.x))
        prepare = lambda table: tables.as_text(*tables.without_gaps(train.x, table))[1]
        model = model(device="cpu", random_state=arguments.seed, n_threads=arguments.threads)
        model.fit(x, train.y, x_validation, validation.y, cat_col_names=tables.is_text(x))
        if classifier:
            return lambda x: model.predict_proba(prepare(x)), model.classes_
        return lambda x: model.predict(prepare(x)), None

    return learn


# By name, each with the package whose version it is and what to import before the clock starts.
LEARNERS = {
    "sklearn": (sklearn, "scikit-learn", ["sklearn.neural_network", "sklearn.compose"]),
    "lightgbm": (lightgbm, "lightgbm", ["lightgbm"]),
    "xgboost": (xgboost, "xgboost", ["xgboost"]),
    "catboost": (catboost, "catboost", ["catboost"]),
    "realmlp-td-s": (pytabkit("RealMLP_TD_S"), "pytabkit", PYTABKIT),
    "realmlp-td": (pytabkit("RealMLP_TD"), "pytabkit", PYTABKIT),
    "tabm": (pytabkit("TabM_D"), "pytabkit", [*PYTABKIT, "pytabkit.models.alg_interfaces.tabm_interface"]),
}
