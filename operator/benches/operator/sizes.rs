//! How large programs and images are.
use std::fs;

use automl_testbed::ProjectImage;

use crate::{
    figure::{at_most, figure, mega},
    program::Program,
};

pub(crate) fn measure(program: &Program) {
    let size = |path: &std::path::Path| mega(fs::metadata(path).expect("it was made").len());
    at_most(15.0, "operator, stripped", size(program.path()), "MB");
    // The full runner last: both runners are built at the same place.
    let slim = size(&ProjectImage::RunnerSlim.archive().expect("an image"));
    at_most(40.0, "image of the slim runner, not compressed", slim, "MB");
    for (name, image) in [("runner", ProjectImage::Runner), ("operator", ProjectImage::Operator)] {
        let name = format!("image of the {name}, not compressed");
        figure(&name, size(&image.archive().expect("an image")), "MB");
    }
}
