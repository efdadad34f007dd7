"""The checks that scikit-learn has for every estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import MLPClassifier, MLPRegressor

# Of an epoch's batches each has the same number of rows, not the same weight: repeating a row is not the same as doubling its weight.
_BATCHES = {"check_sample_weight_equivalence_on_dense_data": "batches have so many rows, whatever these weigh"}
_BATCHES["check_sample_weight_equivalence_on_sparse_data"] = _BATCHES["check_sample_weight_equivalence_on_dense_data"]


def _expected(estimator):
    return {} if estimator.solver == "lbfgs" else _BATCHES


@parametrize_with_checks(
    [
        MLPClassifier(max_iter=100),
        MLPRegressor(max_iter=100),
        MLPClassifier(solver="lbfgs", max_iter=100),
        MLPRegressor(solver="lbfgs", max_iter=100),
    ],
    expected_failed_checks=_expected,
)
def test_common(estimator, check):
    check(estimator)
