//! Pictures of the dashboards for docs/observing.md: drawn here, from what a real Prometheus answers, and not by Grafana.
use std::{collections::BTreeMap, fs, time::Duration};

use plotters::{coord::Shift, prelude::*};
use serde_json::Value;

use crate::{
    answers::{WITHOUT, sent},
    common::{
        project,
        prometheus::{Prometheus, number},
        until_within,
    },
    dashboards::all,
    world::{LONG, World},
};

/// A column and a line of a dashboard, in pixels.
const CELL: (u32, u32) = (50, 26);
/// Seconds that are shown.
const SHOWN: f64 = 180.0;
/// How long a machine may take to scrape so much.
const PATIENCE: Duration = Duration::from_mins(6);
/// Of a panel without an answer.
const NOTHING: &str = "nothing to show";
/// Series of a panel that are drawn.
const MOST: usize = 6;
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const MUTED: RGBColor = RGBColor(0x77, 0x77, 0x77);
const COLORS: [RGBColor; MOST] = [
    RGBColor(0x1f, 0x6f, 0xb4),
    RGBColor(0xd9, 0x6b, 0x1c),
    RGBColor(0x2f, 0x8f, 0x4e),
    RGBColor(0x8a, 0x4f, 0xbf),
    RGBColor(0xb0, 0x2a, 0x37),
    RGBColor(0x55, 0x66, 0x77),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Writes docs/dashboards, after three minutes of scraping.
pub(crate) fn draw() {
    let Some(world) = World::start() else { return };
    let prometheus = &world.prometheus;
    let scraped = format!("count_over_time(up{{job=\"operator\"}}[{SHOWN}s])");
    until_within(PATIENCE, "enough is scraped", || prometheus.value(&scraped).filter(|count| *count >= SHOWN - 5.0));
    let mut empty = 0;
    for (name, page) in all() {
        let svg = picture(prometheus, &page).unwrap_or_else(|error| panic!("{name}: {error}"));
        empty += svg.matches(NOTHING).count();
        let file = project().join("docs/dashboards").join(format!("{name}.svg"));
        fs::create_dir_all(file.parent().expect("a folder")).and_then(|()| fs::write(&file, svg)).expect("a file");
    }
    assert_eq!(empty, WITHOUT.len(), "panels without curves");
}

fn picture(prometheus: &Prometheus, page: &Value) -> Result<String, Box<dyn std::error::Error>> {
    let panels = page["panels"].as_array().ok_or("no panels")?;
    let place = |panel: &Value, field: &str| panel["gridPos"][field].as_u64().unwrap_or_default() as u32;
    let lines = panels.iter().map(|panel| place(panel, "y") + place(panel, "h")).max().unwrap_or(1);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (24 * CELL.0, lines * CELL.1)).into_drawing_area();
        root.fill(&WHITE)?;
        for panel in panels {
            let at = ((place(panel, "x") * CELL.0).cast_signed(), (place(panel, "y") * CELL.1).cast_signed());
            let area = root.clone().shrink(at, (place(panel, "w") * CELL.0, place(panel, "h") * CELL.1));
            let title = panel["title"].as_str().ok_or("no title")?;
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
            match panel["type"].as_str() {
                Some("row") => write(&area, (8, 6), 16, INK, title)?,
                Some("timeseries") => curves(&area, title, unit, &ranges(prometheus, panel))?,
                Some("table") => table(&area, title, &instants(prometheus, panel))?,
                _ => numbers(&area, title, unit, &instants(prometheus, panel))?,
            }
        }
        root.present()?;
    }
    Ok(svg)
}

struct Curve {
    label: String,
    points: Vec<(f64, f64)>,
}

/// A panel's series of the last minutes; seconds count from now.
fn ranges(prometheus: &Prometheus, panel: &Value) -> Vec<Curve> {
    let now = prometheus.value("vector(time())").unwrap_or_default();
    let mut found = Vec::new();
    for target in panel["targets"].as_array().into_iter().flatten() {
        let query = sent(target["expr"].as_str().unwrap_or_default(), LONG);
        let (start, end) = ((now - SHOWN).to_string(), now.to_string());
        let data = prometheus.ask("query_range", &[("query", &query), ("start", &start), ("end", &end), ("step", "2")]);
        for series in data.unwrap_or_default()["result"].as_array().into_iter().flatten() {
            let pair = |pair: &Value| Some((pair[0].as_f64()? - now, pair[1].as_str()?.parse::<f64>().ok()?));
            let points = series["values"].as_array().into_iter().flatten().filter_map(pair);
            let points = points.filter(|(_, value)| value.is_finite()).collect();
            found.push(Curve { label: label(target, series), points });
        }
    }
    found
}

/// A panel's numbers of now: their labels' values, what the legend makes of them, and the number.
fn instants(prometheus: &Prometheus, panel: &Value) -> Vec<(String, String, f64)> {
    let mut found = Vec::new();
    for target in panel["targets"].as_array().into_iter().flatten() {
        for series in prometheus.query(&sent(target["expr"].as_str().unwrap_or_default(), LONG)) {
            let labels = series["metric"].as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
            let labels = labels.collect::<Vec<_>>().join("/");
            found.extend(number(&series).map(|number| (labels, label(target, &series), number)));
        }
    }
    found
}

/// The legend with its labels' values.
fn label(target: &Value, series: &Value) -> String {
    let metric: BTreeMap<String, String> = serde_json::from_value(series["metric"].clone()).unwrap_or_default();
    let legend = target["legendFormat"].as_str().unwrap_or_default().to_owned();
    metric.into_iter().fold(legend, |legend, (name, value)| legend.replace(&format!("{{{{{name}}}}}"), &value))
}

fn curves(area: &Area<'_>, title: &str, unit: &str, curves: &[Curve]) -> Drawn {
    write(area, (10, 6), 14, INK, title)?;
    let values = || curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    let (Some(low), Some(high)) = (values().reduce(f64::min), values().reduce(f64::max)) else {
        return write(area, (10, 40), 13, MUTED, NOTHING);
    };
    let margin = if high > low { (high - low) * 0.08 } else { 0.5 };
    let mut chart = ChartBuilder::on(area)
        .margin_top(28)
        .margin_right(12)
        .x_label_area_size(22)
        .y_label_area_size(64)
        .build_cartesian_2d(-SHOWN..0.0, (low - margin)..(high + margin))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|seconds| format!("{seconds:.0} s"))
        .y_label_formatter(&|value| shown(*value, unit))
        .draw()?;
    for (curve, color) in curves.iter().zip(COLORS) {
        let line = LineSeries::new(curve.points.iter().copied(), color.stroke_width(2));
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2));
        chart.draw_series(line)?.label(short(&curve.label)).legend(legend);
    }
    if curves.iter().any(|curve| !curve.label.is_empty()) {
        let labels = &mut chart.configure_series_labels();
        labels.background_style(WHITE.mix(0.8)).position(SeriesLabelPosition::UpperLeft).draw()?;
    }
    Ok(())
}

/// Side by side, as far as there is room.
fn numbers(area: &Area<'_>, title: &str, unit: &str, numbers: &[(String, String, f64)]) -> Drawn {
    write(area, (10, 6), 14, INK, title)?;
    let width = area.dim_in_pixel().0.cast_signed() / i32::try_from(numbers.len().max(1))?;
    for ((_, label, number), at) in numbers.iter().zip(0..) {
        write(area, (10 + at * width, 30), 26, COLORS[0], &shown(*number, unit))?;
        write(area, (10 + at * width, 62), 13, MUTED, &short(label))?;
    }
    Ok(())
}

/// A line for each value of the labels, a column for each legend.
fn table(area: &Area<'_>, title: &str, numbers: &[(String, String, f64)]) -> Drawn {
    write(area, (10, 6), 14, INK, title)?;
    let mut rows: Vec<&str> = numbers.iter().map(|(labels, ..)| labels.as_str()).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut columns: Vec<&str> = Vec::new();
    for (labels, column, number) in numbers {
        let x = columns.iter().position(|known| known == column).unwrap_or(columns.len());
        if x == columns.len() {
            columns.push(column);
            write(area, (400 + 180 * i32::try_from(x)?, 32), 13, MUTED, column)?;
        }
        let y = i32::try_from(rows.iter().position(|row| row == labels).unwrap_or_default())?;
        write(area, (10, 54 + 22 * y), 14, INK, labels)?;
        write(area, (400 + 180 * i32::try_from(x)?, 54 + 22 * y), 14, COLORS[0], &shown(*number, ""))?;
    }
    Ok(())
}

fn write(area: &Area<'_>, at: (i32, i32), size: i32, color: RGBColor, text: &str) -> Drawn {
    let style = ("sans-serif", size).into_font().color(&color);
    Ok(area.draw(&Text::new(text.to_owned(), at, style))?)
}

/// Addresses of hotkeys are long.
fn short(label: &str) -> String {
    let word = |word: &str| if word.len() > 40 { format!("{}…", &word[..8]) } else { word.to_owned() };
    label.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// As Grafana writes a number of this unit, more or less.
fn shown(value: f64, unit: &str) -> String {
    match (unit, value.abs()) {
        ("percentunit", _) => format!("{:.1} %", 100.0 * value),
        ("bytes", 1024.0..) => format!("{:.1} KiB", value / 1024.0),
        ("s", ..1.0) => format!("{:.1} ms", 1000.0 * value),
        (_, 1e6..) => format!("{:.1} M", value / 1e6),
        (_, size) if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        (_, 1.0..) => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
