/** What a field's value is, by its kind. */
interface Kinds {
  rows: number;
  milliseconds: number;
  name: string;
  flag: boolean;
}

/**
 * What blockmill says of a block when it completes its job, in `processing_jobs.result`: its fields in the order in which people
 * are shown them. The comment in schema.sql and docs/OPERATIONS.md say the same.
 */
export const resultFields = {
  transactions: { kind: "rows", says: "its rows in transactions" },
  logs: { kind: "rows", says: "its rows in logs" },
  withdrawals: { kind: "rows", says: "its rows in withdrawals" },
  token_transfers: { kind: "rows", says: "its rows in token_transfers" },
  fetch_ms: { kind: "milliseconds", says: "milliseconds to fetch it, retries included" },
  verify_ms: { kind: "milliseconds", says: "milliseconds to prove it" },
  encode_ms: { kind: "milliseconds", says: "milliseconds to turn it into rows" },
  endpoint: { kind: "name", says: "the endpoint that served it" },
  direct: {
    kind: "flag",
    says: "whether it went the direct way, from the bytes of the answers to rows in one go",
  },
  absent: {
    kind: "flag",
    says: "the chain has no block at this number, as its neighbours prove; only then it is there",
  },
} as const satisfies Record<string, { kind: keyof Kinds; says: string }>;

type ResultField = keyof typeof resultFields;

type Results = { [F in ResultField]: Kinds[(typeof resultFields)[F]["kind"]] };

/** A job's result, as it is written. */
export type JobResult = Omit<Results, "absent"> & Partial<Pick<Results, "absent">>;

const typeOf = { rows: "number", milliseconds: "number", name: "string", flag: "boolean" } as const;

/**
 * Reads a result as it was stored, perhaps by another release, or by a person: fields that are missing, unknown or of
 * another kind are left out. Null: there is none.
 */
export function readResult(stored: unknown): Partial<JobResult> | null {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return null;
  const fields = Object.entries(resultFields).flatMap(([name, { kind }]) => {
    const value = (stored as Record<string, unknown>)[name];
    return typeof value === typeOf[kind] ? [[name, value]] : [];
  });
  return Object.fromEntries(fields);
}

/** Whether a field counts rows. */
export function countsRows(name: string): boolean {
  return Object.hasOwn(resultFields, name) && resultFields[name as ResultField].kind === "rows";
}
