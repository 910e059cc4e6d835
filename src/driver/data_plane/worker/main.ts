/**
 * What the worker of the data path runs. It gets one message, what to serve, and from then on looks at no message any
 * more: commands come as synchronous calls through shared memory.
 *
 * @module
 */

import type { Report, StartMessage } from "../commands.ts";
import { serve } from "./loop.ts";

/** The part of a worker's global object that is used here; its type library is not the main thread's. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<StartMessage>) => void) | null;
  postMessage(report: Report): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }): void => {
  serve(data, (report) => scope.postMessage(report));
  scope.close();
};
