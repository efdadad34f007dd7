//! From prepared matrices to a trained model of one network or several, and what the rows say that none of them learned from.

use std::cell::Cell;

use chainrule::distribution::estimate_scale;
use chainrule::{
    Compute, Dataset, Distribution, Ended, EpochRecord, Event, Flow, Head, Network, Scale, TrainReport, train,
};

use crate::calibration::Calibration;
use crate::conformal::Conformal;
use crate::error::{Error, Result};
use crate::fit::Prepared;
use crate::matrices::Matrices;
use crate::members::{self, is_hopeless, judged_after};
use crate::model::{Card, Model, Training};
use crate::others::Others;
use crate::predictions::Predictions;
use crate::scores::Evaluation;
use crate::target::Target;
use crate::turns::{Courses, Observer, OwnCourse, Turn, take_turn};

/// A trained model, with its scores on the validation rows if there are any.
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// Scores on the validation rows: those of a table of their own, or of each member on the rows that it did not learn from.
    pub valid: Option<Evaluation>,
    /// Members that are not in the model, and why.
    pub left_out: Vec<String>,
}

/// A trained network.
struct Member {
    number: usize,
    network: Network<f32>,
    report: TrainReport,
}

impl Member {
    /// Why it cannot be a part of the model at all.
    fn fault(&self, advice: Option<String>) -> Option<String> {
        let nothing_before = matches!(self.report.best_epoch, None | Some(0));
        advice.filter(|_| nothing_before)
    }
}

impl Prepared {
    /// Trains the network, or as many side by side as `compute` has threads, which changes no bit. If `observer` stops one, all stop and no
    /// other begins: the best epochs so far are the model.
    ///
    /// # Errors
    /// A target outside the head's range, or a cost that became infinite before the first epoch was done.
    pub fn train(self, compute: &mut Compute, observer: &mut Observer<'_>) -> Result<Fitted> {
        let count = self.parts.len();
        let courses = Courses::new(count);
        // It may say so when those of a turn have just ended.
        let stopped = Cell::new(false);
        let mut heard = |turn: Turn, event: &Event| {
            let flow = observer(turn, event);
            stopped.set(stopped.get() || flow == Flow::Stop);
            flow
        };
        let mut members: Vec<Member> = vec![];
        while members.len() < count && !stopped.get() {
            let trained = take_turn(members.len(), count, compute, &mut heard, &|number, compute, observer| {
                self.train_member(number, &courses.of(number), compute, observer)
            });
            members.extend(trained.into_iter().collect::<Result<Vec<_>>>()?);
        }
        let (members, left_out) = self.choose(members)?;
        self.finish(members, left_out, compute)
    }

    fn train_member(
        &self,
        number: usize,
        course: &OwnCourse<'_>,
        compute: &mut Compute,
        observer: &mut dyn FnMut(&Event) -> Flow,
    ) -> Result<Member> {
        let mut network = self.start(compute, number)?;
        let rows = &self.parts[number].train;
        let mut settings = self.settings.train_settings(rows.len());
        settings.seed = members::seed(settings.seed, number);
        let valid = self.valid_data(number);
        if valid.is_none() {
            // The training cost falls whatever happens: it cannot tell when to stop.
            settings.patience = 0;
        }
        let mut watched = |event: &Event| {
            let flow = observer(event);
            if let Event::Epoch(record) = *event {
                course.add(record);
                let judged_after = judged_after(settings.epochs);
                if record.epoch == judged_after && flow == Flow::Continue {
                    let (own, others) = course.beside(judged_after);
                    let others: Vec<&[EpochRecord]> = others.iter().map(Vec::as_slice).collect();
                    if is_hopeless(&own, &others, settings.metric, settings.epochs) {
                        return Flow::Stop;
                    }
                }
            }
            flow
        };
        let data = self.matrices.dataset(Some(rows));
        let report = train(&mut network, compute, &data, valid.as_ref(), &settings, &mut watched)?;
        Ok(Member { number, network, report })
    }

    /// The rows that choose a member's epoch.
    fn valid_data(&self, number: usize) -> Option<Dataset<'_, f32>> {
        let rows = &self.parts[number].valid;
        let own = (!rows.is_empty()).then(|| self.matrices.dataset(Some(rows)));
        self.valid_table.as_ref().map(|matrices| matrices.dataset(None)).or(own)
    }

    /// The members that are good enough for the model, one at least, and why others are not.
    fn choose(&self, members: Vec<Member>) -> Result<(Vec<Member>, Vec<String>)> {
        let settings = self.settings.train_settings(self.train_rows());
        let fault = |member: &Member| member.fault(member.report.ended.advice(&settings));
        let faults: Vec<Option<String>> = members.iter().map(fault).collect();
        if let Some(Some(advice)) = faults.first().filter(|_| faults.iter().all(Option::is_some)) {
            return Err(Error::Setting(advice.clone()));
        }
        let sound = |at: usize| faults[at].is_none() && !members[at].report.history.is_empty();
        let any = (0..members.len()).any(sound);
        let reason = |at: usize| {
            let others = (0..members.len()).filter(|&other| other != at && sound(other));
            let others: Vec<&[EpochRecord]> = others.map(|other| &members[other].report.history[..]).collect();
            let history = &members[at].report.history;
            match &faults[at] {
                Some(advice) => Some(advice.clone()),
                None if any && history.is_empty() => Some("stopped before its first epoch was done".to_owned()),
                None if is_hopeless(history, &others, settings.metric, settings.epochs) => {
                    let epochs = judged_after(settings.epochs).min(history.len());
                    Some(format!("had learned nothing after {epochs} of {} epochs, unlike the others", settings.epochs))
                }
                None => None,
            }
        };
        let reasons: Vec<Option<String>> = (0..members.len()).map(reason).collect();
        let count = self.parts.len();
        let told = |(at, reason): (usize, &Option<String>)| {
            reason.as_ref().map(|reason| format!("member {} of {count}: {reason}", members[at].number + 1))
        };
        let left_out = reasons.iter().enumerate().filter_map(told).collect();
        let chosen = members.into_iter().zip(&reasons).filter(|(_, reason)| reason.is_none());
        Ok((chosen.map(|(member, _)| member).collect(), left_out))
    }

    fn finish(self, members: Vec<Member>, left_out: Vec<String>, compute: &mut Compute) -> Result<Fitted> {
        let numbers: Vec<usize> = members.iter().map(|member| member.number).collect();
        let (mut networks, mut reports) = (vec![], vec![]);
        for member in members {
            networks.push(member.network);
            reports.push(member.report);
        }
        let judges = |&number: &usize| {
            self.valid_data(number).unwrap_or_else(|| self.matrices.dataset(Some(&self.parts[number].train)))
        };
        estimate_scale(&mut networks, compute, &numbers.iter().map(judges).collect::<Vec<_>>())?;
        let mut model = Model { card: self.card(&numbers, &networks[0], reports), members: networks };
        let Some((matrices, rows)) = self.held_out(&numbers) else {
            return Ok(Fitted { model, valid: None, left_out });
        };
        let mut predictions = match self.valid_table {
            Some(_) => model.predictions(compute, &matrices.inputs.inputs(), &rows, true)?,
            None => self.out_of_fold(&model, &numbers, compute)?,
        };
        model.card.training.valid_rows = rows.len();
        if let Some(calibration) = calibrate(&model.card, matrices, &rows, &predictions) {
            (model.card.smoothing, model.card.temperature) = (calibration.smoothing, calibration.temperature);
            model.card.finish(&mut predictions);
        }
        model.card.conformal = conformal(&model.card, matrices, &rows, &predictions);
        let valid = model.score(matrices, &rows, &predictions);
        model.card.training.valid_metrics = Some(valid.metrics.clone());
        Ok(Fitted { model, valid: Some(valid), left_out })
    }

    /// The card of a model of the members with these numbers, the first of which is `network`.
    fn card(&self, numbers: &[usize], network: &Network<f32>, mut reports: Vec<TrainReport>) -> Card {
        let further = reports.split_off(1);
        // Some may have been left out.
        let others = self.others.as_ref().and_then(|others| {
            let first = numbers.iter().filter(|&&number| number < others.first).count();
            (1..numbers.len()).contains(&first).then(|| Others { first, ..others.clone() })
        });
        let rows: Vec<u32> = match &self.parts[..] {
            [part] => part.train.clone(),
            parts => parts[0].train.iter().chain(&parts[0].valid).copied().collect(),
        };
        let is_number = matches!(self.target, Target::Number(_));
        Card {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            roles: self.roles.clone(),
            target: self.target.clone(),
            range: (is_number && self.settings.recipe.clip).then(|| self.matrices.range(&rows)),
            smoothing: None,
            temperature: None,
            conformal: None,
            encoder: self.encoder.clone(),
            network: network.spec().clone(),
            others,
            settings: self.settings.clone(),
            training: Training {
                rows: rows.len(),
                valid_rows: 0,
                report: reports.remove(0),
                further,
                valid_metrics: None,
            },
        }
    }

    /// The rows that judge the members with these numbers, and where they are; None where there are none.
    fn held_out(&self, numbers: &[usize]) -> Option<(&Matrices, Vec<u32>)> {
        if let Some(matrices) = &self.valid_table {
            return Some((matrices, (0..matrices.values.len() as u32).collect()));
        }
        let rows: Vec<u32> = numbers.iter().flat_map(|&number| self.parts[number].valid.iter().copied()).collect();
        (!rows.is_empty()).then_some((&self.matrices, rows))
    }

    /// What each member says of the rows that it did not learn from, in the order of [`held_out`](Self::held_out).
    fn out_of_fold(&self, model: &Model, numbers: &[usize], compute: &mut Compute) -> Result<Predictions> {
        let inputs = self.matrices.inputs.inputs();
        let mut predictions = Predictions::default();
        for (network, &number) in model.members.iter().zip(numbers) {
            let rows = &self.parts[number].valid;
            predictions.extend(model.card.predictions_of(network, compute, &inputs, rows, true)?);
        }
        model.card.finish(&mut predictions);
        Ok(predictions)
    }
}

/// What makes class probabilities suit held-out rows; None for numbers.
fn calibrate(card: &Card, matrices: &Matrices, rows: &[u32], predictions: &Predictions) -> Option<Calibration> {
    let classes = card.target.classes().len();
    let y: Vec<u32> = rows.iter().map(|&row| matrices.values[row as usize] as u32).collect();
    let weights: Option<Vec<f64>> =
        matrices.weights.as_ref().map(|w| rows.iter().map(|&row| f64::from(w[row as usize])).collect());
    let smoothing = if let Head::Categorical { smoothing, .. } = card.network.head { smoothing } else { 0.0 };
    (classes > 0).then(|| Calibration::fit(&predictions.values, classes, &y, weights.as_deref(), smoothing))
}

/// What the errors on held-out rows say; None for heads without a unit of errors, where the user has given it, and where the end
/// of a time was not seen.
fn conformal(card: &Card, matrices: &Matrices, rows: &[u32], predictions: &Predictions) -> Option<Conformal> {
    let given = card.settings.head.as_ref().and_then(Head::scale);
    let cut_off = |row: &u32| matches!(card.network.head, Head::WeibullAft { .. }) && !matrices.seen(*row);
    if matches!(given, Some(Scale::Fixed(_))) || rows.iter().any(cut_off) {
        return None;
    }
    let Predictions { values, distributions } = predictions;
    let truth = || rows.iter().map(|&row| matrices.values[row as usize]);
    let size =
        |((value, distribution), y): ((&f64, &Distribution), f64)| Some((y - value).abs() / distribution.spread()?);
    let sizes = values.iter().zip(distributions).zip(truth()).map(size).collect::<Option<Vec<f64>>>()?;
    let counts = matches!(card.network.head, Head::Poisson | Head::NegativeBinomial { .. });
    let whole = counts && truth().all(|y| y.fract() == 0.0);
    Conformal::new(sizes).map(|conformal| Conformal { whole, ..conformal })
}

impl Fitted {
    /// Why training ended; of several members the last one's.
    pub fn ended(&self) -> &Ended {
        let training = &self.model.card.training;
        &training.further.last().unwrap_or(&training.report).ended
    }
}
