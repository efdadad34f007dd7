//! Values of flags whose choices the libraries define.

use chainrule::{Activation, Head, Initializer, Metric, Optimizer, Schedule};
use chainrule_data::ColumnType;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

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

pub fn head() -> impl TypedValueParser<Value = Head> {
    one_of(vec![
        ("gaussian", &["squared_error", "regression", "l2", "mse"], Head::Gaussian),
        ("bernoulli", &["binary", "log_loss"], Head::Bernoulli),
        ("categorical", &["multiclass", "softmax", "cross_entropy"], Head::Categorical),
        ("poisson", &["count"], Head::Poisson),
    ])
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
    ])
}

pub fn schedule() -> impl TypedValueParser<Value = Schedule> {
    one_of(vec![
        ("constant", &[], Schedule::Constant),
        ("cosine", &[], Schedule::Cosine),
        ("warm_up", &["warmup"], Schedule::WarmUp { fraction: 0.1 }),
        ("inverse_scaling", &["invscaling"], Schedule::InverseScaling { power: 0.5 }),
    ])
}

/// `column=type`
pub fn column_type(text: &str) -> Result<(String, ColumnType), String> {
    let (column, kind) = text.rsplit_once('=').ok_or("write it as COLUMN=TYPE, such as zip=category")?;
    let kind: ColumnType = kind.parse().map_err(|e: chainrule_data::Error| e.to_string())?;
    Ok((column.to_owned(), kind))
}
