/** The dashboard queries only metrics and labels that exist. */

import { assert, assertStrictEquals } from "@std/assert";
import { dashboard } from "../../src/metrics/dashboard.ts";
import { METRICS } from "../../src/metrics/metrics.ts";
import { FakeHost } from "../support/fake_host.ts";
import { assertDeepStrictEquals } from "../support/assertions.ts";

interface PanelJson {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

interface DashboardJson {
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

async function printed(): Promise<DashboardJson> {
  const { code, out, err } = await new FakeHost().run("metrics --dashboard");
  assertDeepStrictEquals([code, err], [0, ""]);
  return JSON.parse(out);
}

function texts({ panels, templating }: DashboardJson): string[] {
  const queries = templating.list.filter(({ name }) => name !== "source").map(({ query }) => query);
  return [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...queries];
}

Deno.test("every expression names a metric, and only labels of it or of a joined metric", async () => {
  const known = new Map(METRICS.map(({ name, labels }) => [name, labels]));
  for (const text of texts(await printed())) {
    const names = [...text.matchAll(/\b(?:l2tp|process)_[a-z_]+\b/g)].map(([name]) => name);
    assert(names.length > 0, text);
    for (const name of names) assert(known.has(name), `${name} in ${text}`);
    // Prometheus adds the label "instance".
    const labels = new Set(["instance", ...names.flatMap((name) => known.get(name)!)]);
    for (const [, label] of text.matchAll(/([a-z_]+)=~/g)) {
      assert(labels.has(label!), `${label} in ${text}`);
    }
    for (const [, list] of text.matchAll(/(?:by|on|group_left) \(([^)]*)\)/g)) {
      for (const label of list!.split(", ")) assert(labels.has(label), `${label} in ${text}`);
    }
  }
});

Deno.test("every variable in an expression is defined", async () => {
  const json = await printed();
  const names = new Set([...json.templating.list.map(({ name }) => name), "__rate_interval"]);
  for (const text of texts(json)) {
    for (const [, name] of text.matchAll(/\$(\w+)/g)) assert(names.has(name!), `${name} in ${text}`);
  }
});

Deno.test("panels have unique ids and do not overlap", () => {
  const { panels } = dashboard() as DashboardJson;
  assertStrictEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { gridPos: { x, y, w, h }, title } of panels) {
    assert(x + w <= 24, title);
    for (let i = x; i < x + w; i++) {
      for (let j = y; j < y + h; j++) {
        assert(!taken.has(`${i} ${j}`), title);
        taken.add(`${i} ${j}`);
      }
    }
  }
});
