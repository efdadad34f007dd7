//! Values of flags whose choices the libraries define.

use chainrule::{Activation, Head, Initializer, Metric, Optimizer, Schedule};
use chainrule_data::{ColumnType, NumericScaling};
use chainrule_model::{Effort, Preset};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

/// A parser that takes one of the named values, each perhaps under aliases.
fn one_of<T: Clone + Send + Sync + 'static>(
    choices: Vec<(&'static str, &'static [&'static str], T)>,
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|(name, aliases, _)| PossibleValue::new(*name).aliases(aliases.iter().copied()));
    let names: Vec<_> = names.collect();
    PossibleValuesParser::new(names).try_map(move |text| {
        let found = choices.iter().find(|(name, aliases, _)| *name == text || aliases.contains(&text.as_str()));
        found.map(|(_, _, value)| value.clone()).ok_or("unknown value")
    })
}

pub fn activation() -> impl TypedValueParser<Value = Activation> {
    one_of(Activation::ALL.map(|a| (a.name(), &[][..], a)).to_vec())
}

pub fn metric() -> impl TypedValueParser<Value = Metric> {
    let aliases = |metric| match metric {
        Metric::Cost => &["loss", "log_loss", "binary_logloss", "multi_logloss", "l2", "poisson"][..],
        Metric::Mae => &["l1"],
        _ => &[],
    };
    one_of(Metric::ALL.map(|m| (m.name(), aliases(m), m)).to_vec())
}

/// Other names of heads.
const HEAD_ALIASES: &[(&str, &[&str])] = &[
    ("gaussian", &["squared_error", "regression", "l2", "mse"]),
    ("laplace", &["absolute_error", "l1", "mae"]),
    ("quantile", &["pinball"]),
    ("bernoulli", &["binary", "log_loss"]),
    ("categorical", &["multiclass", "softmax", "cross_entropy"]),
    ("poisson", &["count"]),
    ("weibull_aft", &["survival"]),
];

/// `name` or `name:key=value,key=value`, a list's values between slashes.
pub fn head(text: &str) -> Result<Head, String> {
    let (name, parameters) = text.split_once(':').unwrap_or((text, ""));
    let alias = HEAD_ALIASES.iter().find(|(_, aliases)| aliases.contains(&name));
    let name = alias.map_or(name, |(name, _)| name);
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').ok_or(format!("{part:?}: write a parameter as KEY=VALUE"))?;
        Ok((key.to_owned(), parameter(value)))
    };
    let parts = parameters.split(',').filter(|part| !part.is_empty());
    let parameters: serde_json::Map<String, Value> = parts.map(pair).collect::<Result<_, String>>()?;
    let data = match parameters.is_empty() {
        true => json!(name),
        false => json!({ name: parameters }),
    };
    serde_json::from_value(data).map_err(|e| e.to_string())
}

/// A number, true or false, a word, or a list of numbers.
fn parameter(text: &str) -> Value {
    if text.contains('/') {
        return text.split('/').map(parameter).collect();
    }
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

pub fn initializer() -> impl TypedValueParser<Value = Initializer> {
    one_of(vec![
        ("glorot_uniform", &["xavier_uniform", "glorot"], Initializer::GlorotUniform),
        ("glorot_normal", &["xavier_normal"], Initializer::GlorotNormal),
        ("he_uniform", &["kaiming_uniform", "he"], Initializer::HeUniform),
        ("he_normal", &["kaiming_normal"], Initializer::HeNormal),
        ("lecun_uniform", &[], Initializer::LecunUniform),
        ("lecun_normal", &["lecun"], Initializer::LecunNormal),
    ])
}

/// The optimizers by name; their constants are the usual ones, other constants come from a settings file.
pub fn optimizer() -> impl TypedValueParser<Value = Optimizer> {
    one_of(vec![
        ("sgd", &[], Optimizer::Sgd),
        ("momentum", &[], Optimizer::Momentum { momentum: 0.9, nesterov: false }),
        ("nesterov", &[], Optimizer::Momentum { momentum: 0.9, nesterov: true }),
        ("adam", &[], Optimizer::adam()),
        ("adamw", &[], Optimizer::adamw(0.01)),
        ("rmsprop", &[], Optimizer::rmsprop()),
        ("adagrad", &[], Optimizer::adagrad()),
        ("rprop", &[], Optimizer::rprop()),
        ("lbfgs", &["l-bfgs"], Optimizer::lbfgs()),
    ])
}

pub fn schedule() -> impl TypedValueParser<Value = Schedule> {
    one_of(vec![
        ("constant", &[], Schedule::Constant),
        ("cosine", &[], Schedule::Cosine),
        ("flat_cosine", &[], Schedule::FlatCosine),
        ("cosine_waves", &["coslog4"], Schedule::CosineWaves),
        ("warm_up", &["warmup"], Schedule::WarmUp { fraction: 0.1 }),
        ("exponential", &[], Schedule::Exponential { factor: 0.01 }),
        ("inverse_scaling", &["invscaling"], Schedule::InverseScaling { power: 0.5 }),
    ])
}

pub fn preset() -> impl TypedValueParser<Value = Preset> {
    let aliases = |preset| match preset {
        Preset::RealmlpS => &["realmlp-s"][..],
        Preset::TabmMini => &["tabm-mini"],
        _ => &[],
    };
    one_of(Preset::ALL.map(|(name, preset)| (name, aliases(preset), preset)).to_vec())
}

pub fn effort() -> impl TypedValueParser<Value = Effort> {
    one_of(Effort::ALL.map(|(name, effort)| (name, &[][..], effort)).to_vec())
}

pub fn numeric_scaling() -> impl TypedValueParser<Value = NumericScaling> {
    one_of(NumericScaling::ALL.map(|(name, scaling)| (name, &[][..], scaling)).to_vec())
}

/// `column=type`
pub fn column_type(text: &str) -> Result<(String, ColumnType), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write it as COLUMN=TYPE, such as zip=category")?;
    let kind: ColumnType = kind.parse().map_err(|e: chainrule_data::Error| e.to_string())?;
    Ok((column.to_owned(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainrule::Scale;

    #[test]
    fn heads_have_names_aliases_and_parameters() {
        assert_eq!(head("mse"), Ok(Head::gaussian()));
        assert_eq!(
            head("student_t:degrees=6,scale=learned"),
            Ok(Head::StudentT { degrees: 6.0, scale: Scale::Learned })
        );
        assert_eq!(head("quantile:levels=0.1/0.5/0.9"), Ok(Head::Quantile { levels: vec![0.1, 0.5, 0.9] }));
        let smooth = Head::Categorical { smoothing: 0.1, class_weights: vec![1.0, 2.0], soft: false };
        assert_eq!(head("categorical:smoothing=0.1,class_weights=1/2"), Ok(smooth));
        for (text, part) in [
            ("gausian", "unknown head `gausian`; the heads are gaussian, laplace"),
            ("gaussian:sigma=1", "unknown field `sigma`"),
            ("gaussian:scale", "\"scale\": write a parameter as KEY=VALUE"),
            ("tweedie:power=high", "invalid type: string \"high\""),
        ] {
            let message = head(text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
