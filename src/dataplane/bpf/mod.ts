/**
 * The BPF data path: packets of sessions that need only headers never leave the kernel. This room assembles the
 * programs and the contents of their maps; `src/driver/bpf/data_path.ts` loads them into the kernel.
 *
 * @module
 */

export type { ProgramMaps } from "./context.ts";
export { decapsulate } from "./decapsulate.ts";
export { encapsulate } from "./encapsulate.ts";
export {
  type BpfSession,
  COUNTERS,
  DECAPSULATION,
  decapsulationKey,
  decapsulationValue,
  ENCAPSULATION,
  encapsulationValue,
  numberKey,
} from "./maps.ts";
