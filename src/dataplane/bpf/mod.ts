/**
 * The data path of BPF programs: sessions whose packets need nothing but headers never leave the kernel. The programs and
 * what they look up are made here; `src/driver/bpf/data_path.ts` gives them to the kernel.
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
