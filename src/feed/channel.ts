/** PostgreSQL takes no longer channel: https://www.postgresql.org/docs/current/sql-notify.html */
const longestChannel = 63;

/** The channel that tells readers that there are steps. Its payload is empty. A long schema's name is cut. */
export function changesChannel(schema: string): string {
  return `blockmill_changes_${schema}`.slice(0, longestChannel);
}

/** Hints to readers at the commit. */
export const notifyReaders = `select pg_notify(left('blockmill_changes_' || current_schema(), ${longestChannel}), '')`;
