//! What a dashboard is to Grafana: the classic JSON, which every Grafana since version 10 reads, as far as ours need it.
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The layout of JSON that is written; a newer Grafana brings it up to date by itself.
const SCHEMA: u32 = 39;
/// Columns of a page.
const COLUMNS: u32 = 24;
/// Lines that a curve and a table take, and a number.
const TALL: u32 = 8;
const LOW: u32 = 4;

/// A page of panels.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dashboard {
    uid: String,
    title: String,
    description: &'static str,
    tags: [&'static str; 1],
    schema_version: u32,
    /// Moving the pointer over one curve shows the same time in all others.
    graph_tooltip: u32,
    refresh: &'static str,
    time: Value,
    templating: Templating,
    panels: Vec<Panel>,
}

#[derive(Serialize)]
struct Templating {
    list: Vec<Value>,
}

/// A rectangle of the page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Panel {
    id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    grid_pos: Place,
    #[serde(flatten)]
    content: Content,
}

#[derive(Default, Serialize)]
struct Place {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    /// Of a row that is open: its panels follow it.
    Headline {
        collapsed: bool,
        panels: [(); 0],
    },
    Answers(Answers),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answers {
    description: &'static str,
    datasource: Value,
    targets: Vec<Value>,
    field_config: Value,
    options: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transformations: Vec<Value>,
}

/// A query and how its series are called.
pub(crate) struct Query {
    pub(crate) expression: String,
    pub(crate) legend: String,
}

/// A query whose series are called by `legend`, in which `{{label}}` stands for a label's value.
pub(crate) fn query(expression: String, legend: impl Into<String>) -> Query {
    Query { expression, legend: legend.into() }
}

impl Dashboard {
    /// A page without panels; `name` is the last part of its address.
    pub(crate) fn new(name: &str, title: &str, description: &'static str) -> Self {
        let datasource =
            json!({ "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus" });
        Self {
            uid: format!("automl-{name}"),
            title: format!("AutoML / {title}"),
            description,
            tags: ["automl"],
            schema_version: SCHEMA,
            graph_tooltip: 1,
            refresh: "30s",
            time: json!({ "from": "now-1h", "to": "now" }),
            templating: Templating { list: vec![datasource] },
            panels: Vec::new(),
        }
    }

    /// Lets a person choose one value of a label of these series.
    pub(crate) fn choice(self, label: &str, series: &str) -> Self {
        self.variable(label, series, false)
    }

    /// Lets a person choose values of a label; all of them to begin with, and series that lack it.
    pub(crate) fn choices(self, label: &str, series: &str) -> Self {
        self.variable(label, series, true)
    }

    fn variable(mut self, label: &str, series: &str, many: bool) -> Self {
        let query = format!("label_values({series}, {label})");
        let mut variable = json!({
            "name": label,
            "type": "query",
            "datasource": datasource(),
            "query": { "query": query, "refId": "values" },
            // When the times that are shown change: values of what is gone are still found.
            "refresh": 2,
            "sort": 1,
        });
        if many {
            variable["multi"] = true.into();
            variable["includeAll"] = true.into();
            variable["allValue"] = ".*".into();
            variable["current"] = json!({ "text": ["All"], "value": ["$__all"] });
        }
        self.templating.list.push(variable);
        self
    }

    /// Adds a headline and panels below it, as many side by side as there is room for.
    pub(crate) fn row(mut self, title: &str, panels: impl IntoIterator<Item = Panel>) -> Self {
        let mut y = self.panels.iter().map(|panel| panel.grid_pos.y + panel.grid_pos.h).max().unwrap_or(0);
        let headline = Place { x: 0, y, w: COLUMNS, h: 1 };
        let content = Content::Headline { collapsed: false, panels: [] };
        self.add(Panel { id: 0, kind: "row", title: title.to_owned(), grid_pos: headline, content });
        y += 1;
        let (mut x, mut high) = (0, 0);
        for mut panel in panels {
            let Place { w, h, .. } = panel.grid_pos;
            if x + w > COLUMNS {
                (x, y, high) = (0, y + high, 0);
            }
            panel.grid_pos = Place { x, y, w, h };
            (x, high) = (x + w, high.max(h));
            self.add(panel);
        }
        self
    }

    fn add(&mut self, mut panel: Panel) {
        panel.id = self.panels.len() as u32 + 1;
        self.panels.push(panel);
    }
}

impl Panel {
    /// The same over half of the page.
    pub(crate) fn wide(mut self) -> Self {
        self.grid_pos.w = COLUMNS / 2;
        self
    }
}

/// Numbers of now, with what they were before as a shadow.
pub(crate) fn stat(title: impl Into<String>, description: &'static str, unit: &str, query: Query) -> Panel {
    let options = json!({
        "reduceOptions": { "calcs": ["lastNotNull"] },
        "colorMode": "none",
        "graphMode": "area",
        "textMode": "auto",
    });
    let config = json!({ "defaults": { "unit": unit }, "overrides": [] });
    panel("stat", COLUMNS / 4, LOW, title.into(), Answers::new(description, targets([query]), config, options))
}

/// Curves.
pub(crate) fn timeseries(
    title: impl Into<String>,
    description: &'static str,
    unit: &str,
    queries: impl IntoIterator<Item = Query>,
) -> Panel {
    let options = json!({
        "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
        "tooltip": { "mode": "multi", "sort": "desc" },
    });
    let custom = json!({ "drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never" });
    let config = json!({ "defaults": { "unit": unit, "custom": custom }, "overrides": [] });
    panel("timeseries", COLUMNS / 2, TALL, title.into(), Answers::new(description, targets(queries), config, options))
}

/// A table of now: a line for each value of the queries' labels, a column for each query, called by its legend.
pub(crate) fn table(title: impl Into<String>, description: &'static str, queries: Vec<Query>) -> Panel {
    let names: Map<String, Value> = queries
        .iter()
        .zip('A'..)
        .map(|(query, letter)| (format!("Value #{letter}"), query.legend.as_str().into()))
        .collect();
    let mut targets = targets(queries);
    for target in &mut targets {
        target["format"] = "table".into();
        target["instant"] = true.into();
        target["range"] = false.into();
    }
    let options = json!({ "showHeader": true, "cellHeight": "sm" });
    let config = json!({ "defaults": { "unit": "short" }, "overrides": [] });
    let mut answers = Answers::new(description, targets, config, options);
    let organize = json!({ "excludeByName": { "Time": true }, "renameByName": names });
    answers.transformations =
        vec![json!({ "id": "merge", "options": {} }), json!({ "id": "organize", "options": organize })];
    panel("table", COLUMNS, TALL, title.into(), answers)
}

impl Answers {
    fn new(description: &'static str, targets: Vec<Value>, field_config: Value, options: Value) -> Self {
        Self { description, datasource: datasource(), targets, field_config, options, transformations: Vec::new() }
    }
}

fn panel(kind: &'static str, w: u32, h: u32, title: String, answers: Answers) -> Panel {
    Panel { id: 0, kind, title, grid_pos: Place { w, h, ..Place::default() }, content: Content::Answers(answers) }
}

fn targets(queries: impl IntoIterator<Item = Query>) -> Vec<Value> {
    let one = |(query, letter): (Query, char)| json!({ "refId": letter, "datasource": datasource(), "expr": query.expression, "legendFormat": query.legend });
    queries.into_iter().zip('A'..).map(one).collect()
}

/// Whichever Prometheus a person has chosen.
fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}
