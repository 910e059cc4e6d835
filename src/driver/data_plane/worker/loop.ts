/**
 * The loop of the data path's worker: waits for sockets, devices and commands, and gives each its turn. Nobody gets
 * more than one batch of packets in a turn, so that no tunnel starves another.
 *
 * @module
 */

import { Epoll, EPOLLIN } from "../../../../ffi/process/epoll.ts";
import { EventFd } from "../../../../ffi/process/eventfd.ts";
import { DataObjects } from "./objects.ts";
import type { Report, StartMessage, WorkerCommand } from "../commands.ts";
import { SyncServer } from "../sync_call.ts";
import { WorkerReports } from "./reports.ts";

/** Tag of the eventfd; objects have theirs from 1 on. */
const WAKE = 0;

/**
 * Serves until it is told to exit, or until the main thread has given up on it. Holds the calling thread.
 *
 * @throws {Error} whatever went wrong; the main thread knows of it then
 */
export function serve(start: StartMessage, post: (report: Report) => void): void {
  const server = new SyncServer(start.callMemory);
  try {
    using epoll = Epoll.open();
    const reports = new WorkerReports(post, start.reports);
    const objects = new DataObjects({ epoll, counters: start.counters, reports, simd: start.simd });
    // Never closed here: it is the main thread's.
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
    // Before the answer: after it, the main thread closes what is in there.
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
      else objects.source(tag)?.turn(epoll.events(i), now);
    }
    reports.flush();
    if (!woken) continue;
    // After the packets, so that nothing is removed whose turn is still to come.
    wake.reset();
    if (server.closed) return;
    server.serve(execute);
  }
}
