/** The statuses of a job in the order in which people are shown them, and what each means. */
export const jobStatuses = {
  pending: "may be claimed",
  scheduled: "waits for run_at, or for its block to be there (absences)",
  processing: "claimed by worker_id",
  completed: "its rows are committed",
  failed: "attempts used up, see last_error; stays for a person (blockmill retry)",
  cancelled: "by a person (blockmill cancel)",
} as const;

export type JobStatus = keyof typeof jobStatuses;

/** All of them, in their order. */
export const statusOrder = Object.keys(jobStatuses) as readonly JobStatus[];

/** Those in which a job still runs by itself. */
export const openStatuses: readonly JobStatus[] = ["pending", "scheduled", "processing"];

/** Each as a statement spells it: `status = ${statuses.pending}`. */
export const statuses: { readonly [S in JobStatus]: `'${S}'` } = {
  pending: "'pending'",
  scheduled: "'scheduled'",
  processing: "'processing'",
  completed: "'completed'",
  failed: "'failed'",
  cancelled: "'cancelled'",
};

/** A job that a person parked, as a statement spells it: it waits until somebody gives it another time. */
export const isParked = `status = ${statuses.scheduled} and run_at = 'infinity' and not suspended`;

/** A list for `status in`: `('pending', 'scheduled')`. */
export function listOf(some: readonly JobStatus[]): string {
  return `(${some.map((status) => statuses[status]).join(", ")})`;
}

/** Whether a job in this status still runs by itself. */
export function isOpen(status: string): boolean {
  return openStatuses.some((open) => open === status);
}
