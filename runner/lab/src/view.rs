//! What a task sees of its data set: which examples, under which class numbers, with which features.
//!
//! A view copies no example: rows are chosen and features made when a batch is gathered, so that thousands of tasks share
//! one data set in memory.
use crate::Stage;
use crate::data::{Dataset, Examples, Shape};
use crate::seeds::Stream;
use crate::task::Task;

/// A task's view of a data set.
pub(crate) struct View {
    train: Part,
    judged: Part,
    /// For each training example of the view its class, where it is not the true one for all.
    noisy: Option<Vec<u16>>,
    /// Classes.
    pub classes: usize,
    /// What happens to features.
    pub map: FeatureMap,
}

/// The examples of one part that the view has.
struct Part {
    /// `None`: all, in order.
    rows: Option<Vec<u32>>,
    /// How many.
    len: usize,
    /// The class in the view of each class of the data set; `None`: the same.
    classes: Option<Vec<u16>>,
}

/// How the features of an example become those that the network sees.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FeatureMap {
    /// As they are.
    Same,
    /// Mean of squares of `factor` × `factor` pixels.
    Shrink {
        /// Of the pictures before.
        shape: Shape,
        /// Pixels in each direction that become one.
        factor: usize,
    },
    /// A product with a random matrix of entries ±1/√inputs: distances are kept nearly (Achlioptas 2003).
    Project {
        /// inputs × outputs, row-major.
        matrix: Vec<f32>,
        /// Features before.
        inputs: usize,
        /// Features after.
        outputs: usize,
    },
}

impl View {
    /// Everything as it is, for a data set of this many training examples.
    #[cfg(test)]
    pub(crate) fn whole(data: &Dataset, stage: Stage) -> View {
        View {
            train: Part::all(data.train.len()),
            judged: Part::all(data.validation(stage).len()),
            noisy: None,
            classes: data.classes,
            map: FeatureMap::Same,
        }
    }

    /// The view of the task with this number in its stage. `run` is the run's seed.
    pub(crate) fn new(task: &Task, data: &Dataset, run: u32, stage: Stage, seed: u32) -> View {
        let stream = |purpose: &str| Stream::training(run, purpose, stage, seed);
        let part = |examples: &Examples| match &task.classes {
            None => Part::all(examples.len()),
            Some(classes) => Part::of_classes(examples, classes, data.classes),
        };
        let (train, judged) = (part(&data.train), part(data.validation(stage)));
        let classes = task.classes.as_ref().map_or(data.classes, Vec::len);
        let noisy = (task.label_noise > 0.0).then(|| {
            let mut stream = stream("task/labels");
            let wrong = |row: usize| {
                let class = train.class(&data.train, train.row(row));
                // Drawn for each example, whether it is used or not: what one gets does not depend on the share.
                let (chance, other) = (f64::from(stream.unit()), stream.below(classes as u32 - 1) as u16);
                if chance < task.label_noise { other + u16::from(other >= class) } else { class }
            };
            (0..train.len).map(wrong).collect()
        });
        let map = match (task.projection, data.shape) {
            (Some(outputs), _) => FeatureMap::project(data.features, outputs, &mut stream("task/projection-matrix")),
            (None, Some(shape)) if task.shrink > 1 => FeatureMap::Shrink { shape, factor: task.shrink },
            _ => FeatureMap::Same,
        };
        View { train, judged, noisy, classes, map }
    }

    /// Training examples.
    pub(crate) fn train_len(&self) -> usize {
        self.train.len
    }

    /// Examples to judge on.
    pub(crate) fn judged_len(&self) -> usize {
        self.judged.len
    }

    /// The row in the data set's training part and the class of a training example of the view.
    pub(crate) fn train(&self, data: &Dataset, index: usize) -> (usize, usize) {
        let row = self.train.row(index);
        let class = self.noisy.as_ref().map_or_else(|| self.train.class(&data.train, row), |noisy| noisy[index]);
        (row, usize::from(class))
    }

    /// As [`View::train`], of an example to judge on; `examples` is the part that belongs to the view's stage.
    pub(crate) fn judged(&self, examples: &Examples, index: usize) -> (usize, usize) {
        let row = self.judged.row(index);
        (row, usize::from(self.judged.class(examples, row)))
    }

    fn bytes_of(part: &Part) -> usize {
        part.rows.as_ref().map_or(0, |rows| 4 * rows.len())
    }

    /// Memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let noisy = self.noisy.as_ref().map_or(0, |noisy| 2 * noisy.len());
        let matrix = if let FeatureMap::Project { matrix, .. } = &self.map { 4 * matrix.len() } else { 0 };
        View::bytes_of(&self.train) + View::bytes_of(&self.judged) + noisy + matrix
    }
}

impl Part {
    fn all(len: usize) -> Part {
        Part { rows: None, len, classes: None }
    }

    fn of_classes(examples: &Examples, classes: &[u16], of: usize) -> Part {
        let mut numbers = vec![u16::MAX; of];
        for (number, class) in classes.iter().enumerate() {
            numbers[usize::from(*class)] = number as u16;
        }
        let wanted = |row: &u32| numbers[usize::from(examples.y[*row as usize])] != u16::MAX;
        let rows: Vec<u32> = (0..examples.len() as u32).filter(wanted).collect();
        Part { len: rows.len(), rows: Some(rows), classes: Some(numbers) }
    }

    fn row(&self, index: usize) -> usize {
        self.rows.as_ref().map_or(index, |rows| rows[index] as usize)
    }

    fn class(&self, examples: &Examples, row: usize) -> u16 {
        let class = examples.y[row];
        self.classes.as_ref().map_or(class, |numbers| numbers[usize::from(class)])
    }
}

impl FeatureMap {
    fn project(inputs: usize, outputs: usize, stream: &mut Stream) -> FeatureMap {
        let entry = 1.0 / (inputs as f32).sqrt();
        let matrix = (0..inputs * outputs).map(|_| if stream.unit() < 0.5 { entry } else { -entry }).collect();
        FeatureMap::Project { matrix, inputs, outputs }
    }

    /// Features after it, of `before` features.
    pub(crate) fn features(&self, before: usize) -> usize {
        match self {
            FeatureMap::Same => before,
            FeatureMap::Shrink { shape, factor } => shape.shrunk(*factor).features(),
            FeatureMap::Project { outputs, .. } => *outputs,
        }
    }
}

/// Shrinks one picture.
pub(crate) fn shrink(picture: &[f32], shape: Shape, factor: usize, out: &mut [f32]) {
    let small = shape.shrunk(factor);
    let area = (factor * factor) as f32;
    let planes = picture.chunks_exact(shape.height * shape.width);
    for (plane, out) in planes.zip(out.chunks_exact_mut(small.height * small.width)) {
        for (index, out) in out.iter_mut().enumerate() {
            let (top, left) = (index / small.width * factor, index % small.width * factor);
            let row = |row: usize| &plane[(top + row) * shape.width + left..][..factor];
            *out = (0..factor).flat_map(row).sum::<f32>() / area;
        }
    }
}
