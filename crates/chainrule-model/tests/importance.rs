//! Permutation importance against tables shuffled by hand.
#![allow(clippy::unwrap_used)]

use chainrule::{Compute, Flow, Key};
use chainrule_data::{Categories, Column, Table, Values};
use chainrule_model::{Importance, Model, Roles, Score, Settings, prepare};

const ROWS: usize = 120;

fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values }
}

/// A number that decides, one that does not, an embedded category, a one-hot category with missing cells, a date, row weights.
fn table() -> Table {
    let key = Key::new(3);
    let draw = |part: u64| (0..ROWS).map(move |row| key.part(part).uniform(row as u64));
    let x: Vec<f64> = draw(0).map(|u| 4.0 * u - 2.0).collect();
    let many: Vec<usize> = draw(2).map(|u| (12.0 * u) as usize).collect();
    let few: Vec<Option<&str>> =
        draw(3).map(|u| ["a", "b", "c", ""][(4.0 * u) as usize]).map(|l| (!l.is_empty()).then_some(l)).collect();
    let names: Vec<String> = many.iter().map(|level| format!("level {level}")).collect();
    let y = x.iter().zip(&many).map(|(x, level)| 5.0 * x + *level as f64 / 4.0);
    let columns = vec![
        column("x", Values::Number(x.iter().copied().collect())),
        column("noise", Values::Number(draw(1).collect())),
        column("many", Values::Category(names.iter().map(|name| Some(name.as_str())).collect())),
        column("few", Values::Category(few.into_iter().collect())),
        column("day", Values::Time(draw(4).map(|u| (u * 9e14) as i64).collect())),
        column("w", Values::Number(draw(5).map(|u| 0.1 + u).collect())),
        column("y", Values::Number(y.collect())),
    ];
    Table::new("t", columns).unwrap()
}

fn model(table: &Table) -> Model {
    let roles = Roles { target: "y".to_owned(), weight: Some("w".to_owned()), ..Roles::default() };
    let settings = Settings { hidden: vec![16], epochs: 60, dropout: 0.0, ..Settings::default() };
    let prepared = prepare(table, None, &roles, &settings).unwrap();
    prepared.train(&mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap().model
}

fn importance(model: &Model, table: &Table, threads: usize, score: Option<Score>) -> Importance {
    model.importance(&mut Compute::new(threads), table, score, (3, 7), &mut |_, _| {}).unwrap()
}

/// The same values in another order.
fn dealt(values: &Values, order: &[usize]) -> Values {
    let places = order.iter();
    match values {
        Values::Number(numbers) => Values::Number(places.map(|&row| numbers.get(row)).collect()),
        Values::Boolean(flags) => Values::Boolean(places.map(|&row| flags[row]).collect()),
        Values::Time(times) => Values::Time(places.map(|&row| times.micros[row]).collect()),
        Values::Category(c) => {
            Values::Category(Categories { codes: places.map(|&row| c.codes[row]).collect(), levels: c.levels.clone() })
        }
    }
}

#[test]
fn it_is_what_the_score_loses_on_a_table_shuffled_by_hand() {
    let table = table();
    let model = model(&table);
    for score in [None, Some("r2".parse::<Score>().unwrap())] {
        let found = importance(&model, &table, 1, score);
        let rises = score.is_some();
        let evaluate = |table: &Table| {
            let metrics = model.evaluate(&mut Compute::new(1), table).unwrap().metrics;
            if rises { metrics.r2.unwrap() } else { metrics.rmse.unwrap() }
        };
        let before = evaluate(&table);
        assert_eq!((found.value, found.score), (before, if rises { "r2" } else { "rmse" }));
        for (number, name) in ["x", "noise", "many", "few", "day"].into_iter().enumerate() {
            let losses: Vec<f64> = (0..3)
                .map(|repeat| {
                    let mut order: Vec<usize> = (0..ROWS).collect();
                    Key::new(7).part(number as u64).part(repeat).shuffle(&mut order);
                    let mut columns = table.columns.clone();
                    columns[number].values = dealt(&table.columns[number].values, &order);
                    let after = evaluate(&Table::new("t", columns).unwrap());
                    if rises { before - after } else { after - before }
                })
                .collect();
            let mean = losses.iter().sum::<f64>() / 3.0;
            let deviation = (losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
            let entry = found.columns.iter().find(|c| c.column == name).unwrap();
            assert!((entry.importance - mean).abs() < 1e-12, "{name}: {entry:?} {mean}");
            assert!((entry.deviation - deviation).abs() < 1e-12, "{name}: {entry:?} {deviation}");
        }
        assert_eq!(found.columns.len(), 5, "neither target nor weight");
        assert_eq!(found.columns[0].column, "x");
        assert!(found.columns.is_sorted_by(|a, b| a.importance >= b.importance));
    }
}

#[test]
fn threads_make_no_difference_and_seeds_do() {
    let table = table();
    let model = model(&table);
    let one = importance(&model, &table, 1, None);
    assert_eq!(importance(&model, &table, 3, None), one);
    let other = model.importance(&mut Compute::new(1), &table, None, (3, 8), &mut |_, _| {}).unwrap();
    assert_ne!(other.columns, one.columns);
}

#[test]
fn what_cannot_be_shuffled_or_scored_is_refused() {
    let table = table();
    let model = model(&table);
    let message = |table: &Table, score: Option<&str>, repeats: usize| {
        let score = score.map(|name| name.parse().unwrap());
        let found = model.importance(&mut Compute::new(1), table, score, (repeats, 0), &mut |_, _| {});
        found.unwrap_err().to_string()
    };
    let without = |name: &str| {
        let columns = table.columns.iter().filter(|column| column.name != name).cloned().collect();
        Table::new("t", columns).unwrap()
    };
    let text = message(&without("y"), None, 1);
    assert!(text.contains("no column \"y\"") && text.contains("whose target is known"), "{text}");
    assert!(message(&without("few"), None, 1).contains("no column \"few\""));
    assert!(message(&without("w"), None, 1).contains("no column \"w\""));
    assert!(message(&table, None, 0).contains("at least one repeat"));
    let text = message(&table, Some("auc"), 1);
    assert!(text.contains("no auc: take one of rmse, mae, r2"), "{text}");
    assert!("speed".parse::<Score>().unwrap_err().to_string().contains("\"speed\" is no score: take one of accuracy"));
}
