/**
 * The time of an event, as `monitor` writes it.
 *
 * @module
 */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => padded(part, 2)).join(":");
}

/** Local time as `ip -timestamp` writes it: `Sun Nov 22 12:07:28 2026 123000 usec`. */
export function longTime(time: Date): string {
  const day = `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  return `${day} ${clock(time)} ${time.getFullYear()} ${time.getMilliseconds() * 1000} usec`;
}

/** Local time as `ip -tshort` writes it: `2026-11-22T12:07:28.123000`. */
export function isoTime(time: Date): string {
  const day = `${time.getFullYear()}-${padded(time.getMonth() + 1, 2)}-${padded(time.getDate(), 2)}`;
  return `${day}T${clock(time)}.${padded(time.getMilliseconds() * 1000, 6)}`;
}
