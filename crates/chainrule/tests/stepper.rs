//! Training led from outside does what `train` does, and can be taken up again.
#![allow(clippy::unwrap_used)]

use chainrule::{
    Activation, Compute, Dataset, Ended, Error, Flow, Head, Hidden, Inputs, Key, Network, NetworkSpec, Optimizer, Pass,
    Progress, Stepper, TrainSettings, train,
};

const ROWS: usize = 50;

struct Table {
    x: Vec<f64>,
    y: Vec<f64>,
}

fn table() -> Table {
    let draws = |part: u64, n: usize| (0..n).map(|i| 2.0 * Key::new(1).part(part).uniform(i as u64) - 1.0).collect();
    Table { x: draws(0, 3 * ROWS), y: draws(1, ROWS) }
}

impl Table {
    fn data(&self) -> Dataset<'_, f64> {
        Dataset::new(Inputs::numeric(&self.x, 3), &self.y)
    }
}

fn network() -> Network<f64> {
    let spec = NetworkSpec::new(3, vec![Hidden::new(5, Activation::Tanh)], 1, Head::gaussian());
    Network::new(&spec, 3).unwrap()
}

fn settings(optimizer: Optimizer) -> TrainSettings {
    TrainSettings { optimizer, epochs: 4, batch: 16, learning_rate: 0.02, shuffle: false, ..TrainSettings::default() }
}

fn parameters(network: &Network<f64>) -> Vec<Vec<f64>> {
    (0..network.views().len()).map(|p| network.parameter(p)).collect()
}

fn passes(
    network: &mut Network<f64>,
    settings: &TrainSettings,
    count: usize,
    progress: Option<Progress<f64>>,
) -> (Vec<Pass>, Progress<f64>) {
    let (table, mut compute) = (table(), Compute::new(1));
    let order: Vec<u32> = (0..ROWS as u32).collect();
    let mut stepper = Stepper::new(network, &compute, table.data(), settings, progress).unwrap();
    let run = |_| stepper.pass(network, &mut compute, &order, &mut |_| Flow::Continue).unwrap();
    ((0..count).map(run).collect(), stepper.into_progress())
}

fn trained(settings: &TrainSettings) -> (Network<f64>, Vec<f64>) {
    let (table, mut network) = (table(), network());
    let mut goes_on = |_: &chainrule::Event| Flow::Continue;
    let report = train(&mut network, &mut Compute::new(1), &table.data(), None, settings, &mut goes_on).unwrap();
    (network, report.history.iter().map(|epoch| epoch.train_cost).collect())
}

#[test]
fn passes_are_the_epochs_of_train_and_go_on_where_they_were() {
    for optimizer in [Optimizer::adam(), Optimizer::Momentum { momentum: 0.9, nesterov: true }] {
        for ema in [None, Some(0.9)] {
            let settings = TrainSettings { ema, ..settings(optimizer) };
            let (expected, costs) = trained(&settings);
            let mut network = network();
            let (first, progress) = passes(&mut network, &settings, 1, None);
            // The average is part of the progress; what moves is taken up where it was.
            let (rest, _) = passes(&mut network, &settings, 3, Some(progress));
            let seen: Vec<f64> = first.iter().chain(&rest).map(|pass| pass.cost).collect();
            assert_eq!(seen, costs);
            assert_eq!(parameters(&network), parameters(&expected));
        }
    }
}

#[test]
fn iterations_of_lbfgs_are_those_of_train() {
    let settings = TrainSettings { l2: 0.01, ..settings(Optimizer::lbfgs()) };
    let (expected, costs) = trained(&settings);
    let mut network = network();
    let (passes, _) = passes(&mut network, &settings, 4, None);
    assert_eq!(parameters(&network), parameters(&expected));
    // `train` tells the cost before an iteration, a pass the one after it.
    for (pass, cost) in passes.iter().zip(&costs[1..]) {
        assert!((pass.cost - cost).abs() < 1e-12, "{pass:?} {cost}");
    }
}

/// With all rows in one batch a penalty for the sum of costs is one for the mean, divided by the rows.
#[test]
fn a_penalty_is_shared_by_the_rows() {
    for optimizer in [Optimizer::Sgd, Optimizer::lbfgs()] {
        let plain = TrainSettings { batch: ROWS, l2: 0.3, ..settings(optimizer) };
        let shared = TrainSettings { l2: 0.0, row_l2: 0.3 * ROWS as f64, ..plain.clone() };
        let (mut one, mut other) = (network(), network());
        let (a, b) = (passes(&mut one, &plain, 3, None).0, passes(&mut other, &shared, 3, None).0);
        for (a, b) in a.iter().zip(&b) {
            assert!(a.penalty > 0.0 && (a.penalty - b.penalty).abs() < 1e-12, "{a:?} {b:?}");
        }
        let pairs = parameters(&one).concat().into_iter().zip(parameters(&other).concat());
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12));
    }
    // The mean over batches of |w|^2 / 2 over their rows, at the start of a pass that does not move.
    let still = TrainSettings { row_l2: 1.0, learning_rate: 1e-300, ..settings(Optimizer::Sgd) };
    let mut network = network();
    let squares: f64 = [0, 2].iter().flat_map(|&p| network.parameter(p)).map(|w| w * w).sum();
    let expected = 4.0 * 0.5 * squares / ROWS as f64;
    let pass = &passes(&mut network, &still, 1, None).0[0];
    assert!((pass.penalty - expected).abs() < 1e-12, "{} {expected}", pass.penalty);
}

#[test]
fn the_rate_and_the_order_are_the_callers() {
    let (table, mut compute) = (table(), Compute::new(1));
    let settings = settings(Optimizer::Sgd);
    let run = |rate: f64, order: &[u32], compute: &mut Compute| {
        let mut network = network();
        let before = parameters(&network).concat();
        let mut stepper = Stepper::new(&network, compute, table.data(), &settings, None).unwrap();
        stepper.set_learning_rate(rate);
        let pass = stepper.pass(&mut network, compute, order, &mut |_| Flow::Continue);
        pass.map(|_| parameters(&network).concat().iter().zip(before).map(|(a, b)| a - b).collect::<Vec<f64>>())
    };
    let (once, twice) = (run(1e-3, &[4, 7], &mut compute).unwrap(), run(2e-3, &[4, 7], &mut compute).unwrap());
    assert!(once.iter().zip(&twice).all(|(a, b)| (2.0 * a - b).abs() < 1e-15));
    assert!(run(1e-3, &[4, 8], &mut compute).unwrap() != once);
    assert!(matches!(run(1e-3, &[ROWS as u32], &mut compute), Err(Error::Shape { .. })));
}

#[test]
fn a_stop_ends_the_pass_and_strangers_progress_is_refused() {
    let (table, mut compute) = (table(), Compute::new(1));
    let adam = settings(Optimizer::adam());
    let mut network = network();
    let order: Vec<u32> = (0..ROWS as u32).collect();
    let mut stepper = Stepper::new(&network, &compute, table.data(), &adam, None).unwrap();
    let pass = stepper.pass(&mut network, &mut compute, &order, &mut |_| Flow::Stop).unwrap();
    assert_eq!(pass.ended, Some(Ended::Stopped));
    let other = settings(Optimizer::Sgd);
    assert!(Stepper::new(&network, &compute, table.data(), &other, Some(stepper.into_progress())).is_err());
}

#[test]
fn progress_goes_on_from_its_numbers() {
    for (optimizer, ema) in
        [(Optimizer::adam(), Some(0.9)), (Optimizer::adam(), None), (Optimizer::rprop(), None), (Optimizer::Sgd, None)]
    {
        let settings = TrainSettings { ema, ..settings(optimizer) };
        let (mut kept, mut again) = (network(), network());
        let (_, progress) = passes(&mut kept, &settings, 3, None);
        let (_, same) = passes(&mut again, &settings, 3, None);
        let numbers = same.numbers().unwrap();
        assert_eq!(numbers.steps, 12);
        let restored = Progress::from_numbers(&again, &settings, &numbers).unwrap();
        assert_eq!(restored.numbers().unwrap(), numbers);
        let expected = passes(&mut kept, &settings, 2, Some(progress)).0;
        assert_eq!(passes(&mut again, &settings, 2, Some(restored)).0, expected);
        assert_eq!(parameters(&kept), parameters(&again));
    }
}

#[test]
fn numbers_of_another_optimizer_are_refused() {
    let (adam, mut net) = (settings(Optimizer::adam()), network());
    let numbers = passes(&mut net, &adam, 1, None).1.numbers().unwrap();
    let refused = |settings: &TrainSettings, numbers| Progress::from_numbers(&net, settings, numbers).is_err();
    assert!(refused(&settings(Optimizer::Sgd), &numbers));
    assert!(refused(&TrainSettings { ema: Some(0.9), ..adam.clone() }, &numbers));
    let mut short = numbers.clone();
    short.buffers[1].pop();
    assert!(refused(&adam, &short) && !refused(&adam, &numbers));
    let lbfgs = TrainSettings { l1: 0.0, ..settings(Optimizer::lbfgs()) };
    assert!(passes(&mut network(), &lbfgs, 1, None).1.numbers().is_none());
}
