/**
 * A Grafana dashboard (JSON model, schema version 39) generated from the table of metrics.
 *
 * @module
 */

import { metricNamed } from "./metrics.ts";

/** Width of Grafana's grid, in columns. */
const GRID = 24;

/** A panel without its position. */
interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: "stat" | "timeseries" | "table";
  /** Width in columns of the grid. */
  readonly width: number;
  /** Height in rows of the grid. */
  readonly height: number;
  /** Grafana's identifier of the unit. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Shows 0 in green and values from 1 on in red. */
  readonly alarming?: true;
}

interface Query {
  readonly expression: string;
  readonly legend: string;
  /** Queries the current value instead of a range. */
  readonly instant?: true;
}

const PICKED = 'instance=~"$instance", netns=~"$netns"';
const KEY = "instance, netns, tunnel_id, session_id";

/** Returns the metric restricted to the selected instances and namespaces. */
function picked(name: string, more = ""): string {
  return `${metricNamed(name).name}{${PICKED}${more}}`;
}

function rate(name: string): string {
  return `rate(${picked(name)}[$__rate_interval])`;
}

/** Sums by session and adds the interface's name. Restricts to the selected interfaces. */
function bySession(expression: string, more: readonly string[] = []): string {
  const by = [KEY, ...more].join(", ");
  const info = picked("l2tp_session_info", ', interface=~"$interface"');
  return `sum by (${by}) (${expression}) * on (${KEY}) group_left (interface) ${info}`;
}

const SESSION = "{{interface}} {{netns}} {{tunnel_id}}/{{session_id}}";

function both(title: string, unit: string, names: readonly [string, string], factor = ""): Panel {
  return {
    ...{ title, type: "timeseries", width: 12, height: 8, unit },
    description: "Received above the axis, sent below.",
    queries: [
      { expression: `${bySession(rate(names[0]))}${factor}`, legend: `${SESSION} received` },
      { expression: `-(${bySession(rate(names[1]))})${factor}`, legend: `${SESSION} sent` },
    ],
  };
}

function curve(title: string, description: string, queries: readonly Query[], unit = "pps"): Panel {
  return { title, description, type: "timeseries", width: 12, height: 8, unit, queries };
}

function number(title: string, expression: string, more: Partial<Panel> = {}): Panel {
  return {
    ...{ title, type: "stat", width: 4, height: 4, unit: "short" },
    queries: [{ expression, legend: "", instant: true }],
    ...more,
  };
}

function panels(): Panel[] {
  const open = picked("process_open_fds").replace(', netns=~"$netns"', "");
  const most = picked("process_max_fds").replace(', netns=~"$netns"', "");
  return [
    number("Tunnels", `sum(${picked("l2tp_tunnels")})`),
    number("Sessions", `sum(${picked("l2tp_sessions")})`),
    number("Sessions down", `count(${picked("l2tp_session_up")} == 0) or vector(0)`, { alarming: true }),
    number("Receive errors", `sum(${rate("l2tp_session_receive_errors_total")})`, { unit: "pps" }),
    number("Transmit errors", `sum(${rate("l2tp_session_transmit_errors_total")})`, { unit: "pps" }),
    number("Descriptors in use", `max(${open} / ${most})`, { unit: "percentunit" }),
    both("Traffic", "bps", ["l2tp_session_receive_bytes_total", "l2tp_session_transmit_bytes_total"], " * 8"),
    both("Packets", "pps", ["l2tp_session_receive_packets_total", "l2tp_session_transmit_packets_total"]),
    curve("Errors", "Packets that could not be delivered or sent.", [
      { expression: bySession(rate("l2tp_session_receive_errors_total")), legend: `${SESSION} received` },
      { expression: bySession(rate("l2tp_session_transmit_errors_total")), legend: `${SESSION} sent` },
    ]),
    curve("Drops by reason", "Userspace only: dropped packets of sessions by reason.", [
      {
        expression: bySession(rate("l2tp_session_drops_total"), ["reason"]),
        legend: `{{reason}} ${SESSION}`,
      },
    ]),
    curve("Sequence and cookies", "Cookie: the peer is configured with another cookie.", [
      {
        expression: bySession(rate("l2tp_session_receive_sequence_discards_total")),
        legend: `${SESSION} sequence`,
      },
      {
        expression: bySession(rate("l2tp_session_receive_out_of_sequence_packets_total")),
        legend: `${SESSION} reordered`,
      },
      {
        expression: bySession(rate("l2tp_session_receive_cookie_discards_total")),
        legend: `${SESSION} cookie`,
      },
    ]),
    curve("Unmatched packets", "Userspace only: packets that match no tunnel or session.", [
      {
        expression: `sum by (instance, netns, local, port, reason) (${rate("l2tp_socket_drops_total")})`,
        legend: "{{reason}} {{local}} {{port}} {{netns}}",
      },
      {
        expression: `sum by (instance, netns, tunnel_id, reason) (${rate("l2tp_tunnel_drops_total")})`,
        legend: "{{reason}} {{netns}} {{tunnel_id}}",
      },
      {
        expression: `sum by (instance, netns, tunnel_id) (${
          rate("l2tp_tunnel_receive_invalid_packets_total")
        })`,
        legend: "invalid {{netns}} {{tunnel_id}}",
      },
    ]),
    {
      ...{ title: "Tunnels", type: "table", width: 12, height: 8, unit: "short" },
      queries: [{ expression: picked("l2tp_tunnel_info"), legend: "", instant: true }],
    },
    {
      ...{ title: "Sessions", type: "table", width: 12, height: 8, unit: "short" },
      queries: [{
        expression: picked("l2tp_session_info", ', interface=~"$interface"'),
        legend: "",
        instant: true,
      }],
    },
  ];
}

const SOURCE = { type: "prometheus", uid: "${source}" };

function panelJson(panel: Panel, id: number, x: number, y: number): object {
  const { title, description, type, width, height, unit, queries, alarming } = panel;
  return {
    id,
    title,
    ...(description !== undefined && { description }),
    type,
    datasource: SOURCE,
    gridPos: { x, y, w: width, h: height },
    fieldConfig: {
      defaults: {
        unit,
        ...(type === "timeseries" && { custom: { showPoints: "never", fillOpacity: 10 } }),
        ...(alarming && {
          thresholds: {
            mode: "absolute",
            steps: [{ color: "green", value: null }, { color: "red", value: 1 }],
          },
        }),
      },
      overrides: [],
    },
    targets: queries.map(({ expression, legend, instant }, i) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + i),
      datasource: SOURCE,
      expr: expression,
      legendFormat: legend,
      ...(instant ? { instant, range: false, format: type === "table" ? "table" : "time_series" } : {}),
    })),
  };
}

/** Creates a dashboard variable that selects among the values of a metric's label. */
function list(name: string, label: string, metric: string, within: string): object {
  const query = `label_values(${metricNamed(metric).name}${within}, ${label})`;
  return {
    ...{
      name,
      label: name,
      type: "query",
      datasource: SOURCE,
      query,
      definition: query,
      refresh: 2,
      sort: 1,
    },
    ...{ multi: true, includeAll: true, allValue: ".*", current: { text: ["All"], value: ["$__all"] } },
  };
}

/** Builds the dashboard as an object to be serialised as JSON. */
export function dashboard(): object {
  let [x, y, row] = [0, 0, 0];
  const placed = panels().map((panel, i) => {
    if (x + panel.width > GRID) [x, y, row] = [0, y + row, 0];
    const json = panelJson(panel, i + 1, x, y);
    x += panel.width;
    row = Math.max(row, panel.height);
    return json;
  });
  return {
    ...{ uid: "l2tp", title: "L2TP", tags: ["l2tp", "network"], schemaVersion: 39, version: 1 },
    ...{ editable: true, graphTooltip: 1, refresh: "30s", timezone: "", time: { from: "now-1h", to: "now" } },
    templating: {
      list: [
        { name: "source", label: "source", type: "datasource", query: "prometheus", current: {} },
        list("instance", "instance", "l2tp_build_info", ""),
        list("netns", "netns", "l2tp_tunnels", '{instance=~"$instance"}'),
        list("interface", "interface", "l2tp_session_info", `{${PICKED}}`),
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: placed,
  };
}
