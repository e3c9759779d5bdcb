//! What a task is: drawn from (run seed, stage, seed).
//!
//! Each quantity has a stream of its own: letting one more of them vary changes none of the others.
use automl_contract::spec::NetworkKind;
use automl_contract::tasks::{Stage, TasksSpec};
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::seeds::Stream;

/// One task of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its set, as numbered in [`crate::About::sets`].
    pub set: usize,
    /// The set's data.
    pub dataset: String,
    /// The set's network.
    pub network: NetworkKind,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Per cent of the network's widths.
    pub width_percent: u32,
    /// The classes to tell apart, in the data set's numbers; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<u16>>,
    /// Features after a random projection; `None`: not projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<usize>,
    /// By how much pictures are shrunk in each direction.
    pub shrink: usize,
    /// The share of training examples whose class is wrong.
    pub label_noise: f64,
}

/// The set a task is about.
pub(crate) struct About<'a> {
    pub set: usize,
    pub data: &'a Dataset,
    pub network: NetworkKind,
    /// Where it does not vary.
    pub learning_rate: f64,
}

impl Task {
    /// Draws a task of a set.
    pub(crate) fn draw(tasks: &TasksSpec, about: &About<'_>, run: u32, stage: Stage, seed: u32) -> Task {
        let stream = |quantity: &str| Stream::training(run, &format!("task/{quantity}"), stage, seed);
        let between = |quantity: &str, low: u32, high: u32| low + stream(quantity).below(high - low + 1);
        let log_uniform = |quantity: &str, low: f64, high: f64| {
            let drawn = (low.ln() + f64::from(stream(quantity).unit()) * (high.ln() - low.ln())).exp();
            drawn.clamp(low, high)
        };
        let data = about.data;
        Task {
            set: about.set,
            dataset: data.name.clone(),
            network: about.network,
            learning_rate: tasks
                .learning_rate
                .map_or(about.learning_rate, |rates| log_uniform("learning-rate", rates.low, rates.high)),
            width_percent: tasks
                .width_percent
                .map_or(100, |percents| log_uniform("width", percents.low.into(), percents.high.into()).round() as u32),
            classes: tasks.classes.map(|counts| {
                let mut usable = data.usable_classes();
                let most = usable.len() as u32;
                let count = between("class-count", counts.low.min(most), counts.high.min(most));
                let mut order: Vec<u32> = (0..most).collect();
                stream("classes").shuffle(&mut order);
                order.truncate(count as usize);
                let mut index = 0;
                usable.retain(|_| {
                    index += 1;
                    order.contains(&(index - 1))
                });
                usable
            }),
            projection: tasks.projection.map(|dimensions| {
                let most = data.features as u32;
                between("projection", dimensions.low.min(most), dimensions.high.min(most)) as usize
            }),
            shrink: match (tasks.shrink, data.shape) {
                (Some(factors), Some(_)) => between("shrink", factors.low, factors.high) as usize,
                _ => 1,
            },
            label_noise: tasks.label_noise.map_or(0.0, |shares| {
                shares.low + f64::from(stream("label-noise").unit()) * (shares.high - shares.low)
            }),
        }
    }
}
