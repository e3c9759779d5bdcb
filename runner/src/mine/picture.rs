//! Two pictures of a run: how the search went, and what the winning loss looks like beside cross-entropy.
use automl_genome::{Batch, Class, Gene, Program, Workspace, known_losses};
use automl_search::Report;
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (960, 420);
const WINNER: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const OTHER: RGBColor = RGBColor(0xd9, 0x6b, 0x1c);
const MUTED: RGBColor = RGBColor(0x88, 0x88, 0x88);

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// One series of a panel.
struct Series {
    label: &'static str,
    color: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Best fitness so far and mean fitness of each generation against candidates considered, as SVG.
pub(crate) fn evolution(history: &[Report]) -> Result<String, Box<dyn std::error::Error>> {
    let series = |label, color, of: fn(&Report) -> Option<f64>| Series {
        label,
        color,
        points: history.iter().filter_map(|report| Some((report.evaluations as f64, of(report)?))).collect(),
    };
    let series = [
        series("best so far", WINNER, |report| report.best_fitness),
        series("mean of the generation", MUTED, |report| report.mean_fitness),
    ];
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        panel(&area, "search validation accuracy", "candidates considered", &series)?;
        area.present()?;
    }
    Ok(svg)
}

/// Value and pull of the winner and of cross-entropy for one example, against the logit of its true class while all
/// other logits are 0. Each curve is scaled to its own range: Adam does not care for a loss's scale.
pub(crate) fn loss(winner: &Gene, classes: usize) -> Result<String, Box<dyn std::error::Error>> {
    let cross_entropy =
        known_losses().iter().find(|known| known.key == "cross-entropy").map(automl_genome::KnownLoss::gene);
    let curves: Vec<(&'static str, RGBColor, Curve)> =
        [("winner", WINNER, Some(winner.clone())), ("cross-entropy", OTHER, cross_entropy)]
            .into_iter()
            .filter_map(|(label, color, gene)| Some((label, color, Curve::of(&gene?, classes))))
            .collect();
    let series = |of: fn(&Curve) -> &Vec<(f64, f64)>| -> Vec<Series> {
        curves.iter().map(|(label, color, curve)| Series { label, color: *color, points: of(curve).clone() }).collect()
    };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(SIZE.0 / 2);
        panel(&left, "loss, scaled to 0…1", "logit of the true class, others 0", &series(|curve| &curve.values))?;
        panel(
            &right,
            "pull on that logit (−gradient, scaled)",
            "logit of the true class, others 0",
            &series(|curve| &curve.pulls),
        )?;
        area.present()?;
    }
    Ok(svg)
}

struct Curve {
    values: Vec<(f64, f64)>,
    pulls: Vec<(f64, f64)>,
}

impl Curve {
    fn of(gene: &Gene, classes: usize) -> Curve {
        let program = Program::new(gene);
        let mut workspace = Workspace::default();
        let mut targets = vec![0.0; classes];
        targets[0] = 1.0;
        let (mut values, mut pulls) = (Vec::new(), Vec::new());
        for step in -80..=80 {
            let logit = f64::from(step) / 10.0;
            let mut outputs = vec![0.0; classes];
            outputs[0] = logit;
            let Ok(batch) = Batch::new(&outputs, &targets, 1, classes) else { continue };
            let evaluation = program.evaluate(batch, &mut workspace);
            if evaluation.class == Class::Finite {
                values.push((logit, evaluation.value));
                pulls.extend(evaluation.gradient.and_then(|gradient| gradient.first()).map(|slope| (logit, -slope)));
            }
        }
        let (low, high) = range(&values);
        let span = if high > low { high - low } else { 1.0 };
        for point in &mut values {
            point.1 = (point.1 - low) / span;
        }
        let (low, high) = range(&pulls);
        let most = low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
        for point in &mut pulls {
            point.1 /= most;
        }
        Curve { values, pulls }
    }
}

fn panel(area: &DrawingArea<SVGBackend<'_>, Shift>, title: &str, x_label: &str, series: &[Series]) -> Drawn {
    let points: Vec<(f64, f64)> = series.iter().flat_map(|series| series.points.iter().copied()).collect();
    let (x_low, x_high) = range(&points.iter().map(|point| (0.0, point.0)).collect::<Vec<_>>());
    let (y_low, y_high) = range(&points);
    let margin = ((y_high - y_low) * 0.05).max(1e-9);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .margin_right(32)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(x_low..x_high.max(x_low + 1e-9), (y_low - margin)..(y_high + margin))?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .light_line_style(WHITE)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{:.2}", value + 0.0))
        .draw()?;
    for Series { label, color, points } in series {
        let color = *color;
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?
            .label(*label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(MUTED)
        .position(SeriesLabelPosition::LowerRight)
        .draw()?;
    Ok(())
}

/// Lowest and highest finite second coordinate; (0, 1) when there is none.
fn range(points: &[(f64, f64)]) -> (f64, f64) {
    let finite = || points.iter().map(|point| point.1).filter(|value| value.is_finite());
    match (finite().reduce(f64::min), finite().reduce(f64::max)) {
        (Some(low), Some(high)) => (low, high),
        _ => (0.0, 1.0),
    }
}
