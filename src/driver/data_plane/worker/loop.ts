/**
 * The loop of the data path's worker: it waits for sockets, devices and commands, and serves each in turn. A source
 * moves at most one batch of packets per iteration, so that no tunnel starves another.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../../../ffi/process/epoll.ts";
import { EventFd } from "../../../../ffi/process/eventfd.ts";
import { DataObjects } from "./objects.ts";
import type { Report, StartMessage, WorkerCommand } from "../commands.ts";
import { SyncServer } from "../sync_call.ts";
import { WorkerReports } from "./reports.ts";

/** Epoll tag of the eventfd; objects use their ids, from 1 on. */
const WAKE = 0;

/**
 * Serves until the `exit` command, or until the main thread has closed the call memory. Blocks the calling thread.
 *
 * @throws {Error} any failure; the call memory is closed with its message first, so that the main thread sees it
 */
export function serve(start: StartMessage, post: (report: Report) => void): void {
  const server = new SyncServer(start.callMemory);
  try {
    using epoll = Epoll.open();
    const reports = new WorkerReports(post, start.reports);
    const objects = new DataObjects({ epoll, counters: start.counters, reports, simd: start.simd });
    // Never closed here: the main thread owns it.
    const wake = new EventFd(start.wakeFd);
    epoll.add(start.wakeFd, EPOLLIN, WAKE);
    post({ type: "ready" });
    loop(epoll, wake, server, objects, reports);
  } catch (error) {
    server.close(`The data path has crashed: ${error instanceof Error ? error.message : error}`);
    throw error;
  }
}

function loop(
  epoll: Epoll,
  wake: EventFd,
  server: SyncServer,
  objects: DataObjects,
  reports: WorkerReports,
): void {
  let running = true;
  const execute = (command: unknown): unknown => {
    const { op } = command as WorkerCommand;
    if (op === "now") return performance.now();
    if (op !== "exit") return objects.execute(command as WorkerCommand);
    running = false;
    // Before the answer: after it, the main thread closes the watched descriptors.
    epoll.close();
    return true;
  };
  while (running) {
    const ready = epoll.wait(-1);
    const now = performance.now();
    let woken = false;
    for (let i = 0; i < ready; i++) {
      const tag = epoll.tag(i);
      if (tag === WAKE) woken = true;
      else objects.source(tag)?.handleEvents(epoll.events(i), now);
    }
    reports.flush();
    if (!woken) continue;
    // After the packets, so that no object is removed while an event for it is pending.
    wake.reset();
    if (server.closed) return;
    server.serve(execute);
  }
}
