/**
 * Types of metrics and of the data they are computed from.
 *
 * @module
 */

import type { DropCounts } from "../model/drop_counts.ts";
import type { Link } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { SessionOffloads } from "../model/session_offloads.ts";
import type { Tunnel } from "../model/tunnel.ts";

/** State of one network namespace. */
export interface NamespaceSnapshot {
  /** Name of the namespace, for the label; `""` for the namespace of process 1. */
  readonly netns: string;
  /** Tunnels of the namespace. */
  readonly tunnels: readonly Tunnel[];
  /** Sessions of these tunnels. */
  readonly sessions: readonly Session[];
  /** Interfaces of the namespace; `undefined` if they could not be read. */
  readonly links: readonly Link[] | undefined;
  /** Dropped packets by reason; empty for the kernel's subsystem. */
  readonly drops: readonly DropCounts[];
  /** Active offloads by session; empty for the kernel's subsystem. */
  readonly offloads: readonly SessionOffloads[];
}

/** Facts about the daemon's process. */
export interface ProcessFacts {
  /** Start time, in seconds since 1970. */
  readonly startSeconds: number;
  /** Resident memory, in bytes. */
  readonly residentBytes: number;
  /** Number of open file descriptors. */
  readonly openFds: number;
  /** Limit of open file descriptors. */
  readonly maxFds: number;
}

/** The data that metrics are computed from, at one moment. */
export interface Snapshot {
  /** Version of this program. */
  readonly version: string;
  /** Subsystem that the tunnels belong to. */
  readonly dataplane: "kernel" | "user";
  /** The daemon's process; `undefined` if the metrics do not come from a daemon. */
  readonly daemon: ProcessFacts | undefined;
  /** State by network namespace. */
  readonly namespaces: readonly NamespaceSnapshot[];
}

/** Label values of a sample by label name. */
export type Labels = Readonly<Record<string, string | number>>;

/** One sample of a metric. */
export interface MetricSample {
  /** Values of all labels of the metric. */
  readonly labels: Labels;
  /** Value. Counters beyond 2^53 are rounded, as in Prometheus, whose values are 64-bit floats. */
  readonly value: number;
}

/** A metric: one row of the table. */
export interface Metric {
  /** Name of the metric. Part of the public interface: never changes. */
  readonly name: string;
  /** A counter never decreases; a gauge may. */
  readonly type: "counter" | "gauge";
  /** Help text: one line. */
  readonly help: string;
  /**
   * Label names. Part of the public interface: never change. A label's value stays the same during the life of the
   * tunnel or session.
   */
  readonly labels: readonly string[];
  /** Computes the samples of the metric. */
  samples(snapshot: Snapshot): Iterable<MetricSample>;
}
