// What a dashboard of ours has to be: Grafana's own types as plain JSON, for the kinds of panels that we have. Objects are
// closed, so that a field which Grafana does not know is an error.
import type { Dashboard, DataQuery, FieldConfig, GraphFieldConfig, Panel, RowPanel, TableFieldOptions } from '@grafana/schema';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as Table } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TimeSeries } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** What the plugin of Prometheus adds to a query. */
type Target = DataQuery & { expr: string; legendFormat: string; format?: 'table'; instant?: boolean; range?: boolean };
type Config<C> = { defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<C> }; overrides: [] };
type Of<K extends string, O, C> = Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: K;
  title: string;
  description: string;
  options: Partial<O>;
  targets: Target[];
  fieldConfig: Config<C>;
};
type Panels = RowPanel | Of<'stat', Stat, never> | Of<'table', Table, TableFieldOptions> | Of<'timeseries', TimeSeries, GraphFieldConfig>;

/** An enum as the values that it stands for. */
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
export type Ours = Plain<Omit<Dashboard, 'panels'> & { uid: string; panels: Panels[] }>;
