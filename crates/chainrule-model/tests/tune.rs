//! The search for settings: the same ranking however it is worked off.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use chainrule::{Compute, Flow, Isa, Key};
use chainrule_data::{Column, Table, Values};
use chainrule_model::tune::{Outcome, Search, Space, Workers};
use chainrule_model::{Error, Roles, Score, Settings};

fn table() -> Table {
    let draw = |part: u64| (0..120).map(move |row| Key::new(3).part(part).uniform(row as u64));
    let y = draw(0).zip(draw(1)).map(|(a, b)| (6.0 * a).sin() + b);
    let column = |name: &str, values: Vec<f64>| Column {
        name: name.to_owned(),
        values: Values::Number(values.into_iter().collect()),
    };
    Table::new("t", vec![column("a", draw(0).collect()), column("b", draw(1).collect()), column("y", y.collect())])
        .unwrap()
}

fn roles() -> Roles {
    Roles { target: "y".to_owned(), ..Roles::default() }
}

fn base() -> Settings {
    Settings { hidden: vec![8], epochs: 15, ..Settings::default() }
}

fn space() -> Space {
    Space { width: vec![4, 8, 16], depth: vec![0, 1, 2], ..Space::default() }
}

fn search<'a>(table: &'a Table, roles: &'a Roles) -> Search<'a> {
    Search::new(table, roles, vec![base()], &space(), 8, None).unwrap()
}

fn workers(threads: usize) -> Workers {
    Workers { threads, isa: Isa::detect() }
}

/// Everything but the time it took.
fn timeless(outcomes: &[Outcome]) -> Vec<Outcome> {
    let mut all: Vec<Outcome> = outcomes.iter().map(|o| Outcome { seconds: 0.0, ..o.clone() }).collect();
    all.sort_by_key(|o| (o.rung, o.trial));
    all
}

#[test]
fn threads_and_interruptions_make_no_difference() {
    let (table, roles) = (table(), roles());
    let search = search(&table, &roles);
    assert_eq!((search.rungs(), search.score().name()), (vec![8, 3], "rmse"));
    let whole = search.run(vec![], workers(1), &|| false, &mut |_| Ok(())).unwrap();
    let expected = timeless(&whole);
    assert_eq!(expected.len(), 11);
    assert_eq!(expected.iter().map(|o| o.epochs).collect::<Vec<_>>(), [[5; 8].as_slice(), &[15; 3]].concat());
    assert_eq!(timeless(&search.run(vec![], workers(3), &|| false, &mut |_| Ok(())).unwrap()), expected);
    // Cut after every number of trainings, and continued.
    for cut in 0..11 {
        let done = AtomicUsize::new(0);
        let some = search.run(vec![], workers(1), &|| done.load(Ordering::Relaxed) >= cut, &mut |_| {
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let some = some.unwrap();
        // Others may have been on their way.
        assert!(some.len() >= cut, "{cut}: {}", some.len());
        let mut new = 0;
        let all = search.run(some.clone(), workers(2), &|| false, &mut |_| {
            new += 1;
            Ok(())
        });
        assert_eq!((timeless(&all.unwrap()), new), (expected.clone(), 11 - some.len()));
    }
}

#[test]
fn the_best_of_each_rung_go_on_and_the_best_of_all_is_trained_again() {
    let (table, roles) = (table(), roles());
    let search = search(&table, &roles);
    let all = search.run(vec![], workers(2), &|| false, &mut |_| Ok(())).unwrap();
    let mut first: Vec<&Outcome> = all.iter().filter(|o| o.rung == 1).collect();
    first.sort_by(|a, b| a.score.unwrap().total_cmp(&b.score.unwrap()));
    let mut promoted: Vec<usize> = all.iter().filter(|o| o.rung == 2).map(|o| o.trial).collect();
    let mut expected: Vec<usize> = first[..3].iter().map(|o| o.trial).collect();
    promoted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(promoted, expected);
    let ranking = search.ranking(&all);
    assert_eq!(ranking.len(), 8);
    let best = all.iter().filter(|o| o.rung == 2).min_by(|a, b| a.score.unwrap().total_cmp(&b.score.unwrap())).unwrap();
    assert_eq!(ranking[0], best);
    let fitted = search.fit(best, &mut Compute::new(1), &mut |_, _| Flow::Continue).unwrap();
    assert_eq!(fitted.valid.unwrap().metrics.rmse, best.score);
    let one = all.iter().find(|o| o.trial == 1).unwrap();
    assert_eq!(search.words(one), "plain, settings as they are");
}

#[test]
fn a_trial_that_fails_is_last_and_all_that_fail_are_an_error() {
    let (table, roles) = (table(), roles());
    // A rate at which nothing stays finite.
    let wild = Space::from_toml("learning_rate_factor = [1e300]\nweight_decay = []\n").unwrap();
    let search = Search::new(&table, &roles, vec![base()], &wild, 3, None).unwrap();
    let all = search.run(vec![], workers(1), &|| false, &mut |_| Ok(())).unwrap();
    let ranking = search.ranking(&all);
    assert_eq!((ranking[0].trial, ranking[1].score), (1, None));
    assert!(ranking[1].error.as_ref().is_some_and(|error| !error.is_empty()));
    let auc: Score = "auc".parse().unwrap();
    let search = Search::new(&table, &roles, vec![base()], &space(), 2, Some(auc)).unwrap();
    let message = search.run(vec![], workers(1), &|| false, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(message.contains("every trial failed") && message.contains("no auc"), "{message}");
}

#[test]
fn a_log_that_cannot_be_written_ends_the_search() {
    let (table, roles) = (table(), roles());
    let search = search(&table, &roles);
    let mut told = 0;
    let failed = search.run(vec![], workers(2), &|| false, &mut |_| {
        told += 1;
        Err(Error::Setting("the disk is full".to_owned()))
    });
    assert!(failed.unwrap_err().to_string().contains("the disk is full"));
    assert_eq!(told, 1);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let (table, roles) = (table(), roles());
    let message = |base: Settings, trials: usize, roles: &Roles| {
        Search::new(&table, roles, vec![base], &space(), trials, None).err().unwrap().to_string()
    };
    assert!(message(base(), 0, &roles).contains("trials must be at least 1"));
    assert!(message(Settings { valid_fraction: 0.0, ..base() }, 3, &roles).contains("valid_fraction must be above 0"));
    let other = Roles { target: "z".to_owned(), ..Roles::default() };
    assert!(message(base(), 3, &other).contains("no column \"z\""));
}
