/** The time that a log line bears: ISO 8601 in UTC, to the millisecond. Date and second are put into words once for all lines of a second. */

let second = Number.NaN;
let words = '';

/** The member of the line's JSON, with the comma before it. @param nowMs milliseconds since 1970 */
export function timeMember(nowMs = Date.now()): string {
  const milliseconds = nowMs % 1000;
  if (nowMs - milliseconds !== second) {
    second = nowMs - milliseconds;
    words = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`;
  }
  return `${words}${String(milliseconds).padStart(3, '0')}Z"`;
}
