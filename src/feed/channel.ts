/** PostgreSQL takes no longer channel: https://www.postgresql.org/docs/current/sql-notify.html */
const longestChannel = 63;

/** Hints to readers at the commit, with an empty payload. A long schema's name is cut. */
export const notifyReaders = `select pg_notify(left('blockmill_changes_' || current_schema(), ${longestChannel}), '')`;
