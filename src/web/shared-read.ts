/** What was read, when, and how it stands with reading. */
export interface Reading<T> {
  /** The last that could be read; null: none yet. */
  value: T | null;
  /** Seconds since it was read. */
  ageSeconds: number | null;
  /** Why it could not be read this time; null: it could. */
  error: string | null;
}

/**
 * Reads for many who ask: at most once in `everyMs`, and not at all while nobody asks. Who asks while somebody else's read
 * is under way shares it. A read that fails, or takes long, leaves the last value, whose age then grows.
 */
export function createSharedRead<T>({
  read,
  everyMs,
  patienceMs = 2_500,
  describe,
  now = () => performance.now(),
}: {
  read(): Promise<T>;
  everyMs: number;
  /** Nobody waits for longer. */
  patienceMs?: number;
  /** Of an error; without secrets. */
  describe(error: unknown): string;
  now?(): number;
}): () => Promise<Reading<T>> {
  let value: T | null = null;
  let readAt: number | undefined;
  let error: string | null = null;
  let begunAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const begin = async (): Promise<void> => {
    begunAt = now();
    try {
      value = await read();
      readAt = now();
      error = null;
    } catch (thrown) {
      error = describe(thrown);
    } finally {
      underWay = undefined;
    }
  };
  return async () => {
    if (underWay === undefined && now() - begunAt >= everyMs) underWay = begin();
    const isLate = underWay !== undefined && !(await isOverWithin(underWay, patienceMs));
    return {
      value,
      ageSeconds: readAt === undefined ? null : (now() - readAt) / 1_000,
      error: isLate ? `the database has not answered for ${Math.round((now() - begunAt) / 1_000)} s` : error,
    };
  };
}

async function isOverWithin(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const isOver = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isOver;
}
