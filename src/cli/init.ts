import { applySchema, schemaVersion } from "../db/schema.js";
import { exitCodes } from "./exit-codes.js";
import { type Session, withDatabase } from "./session.js";

/** `blockmill init`: creates or completes the schema. */
export async function init(session: Session): Promise<number> {
  const { schema } = session.config.database;
  const { before } = await withDatabase(session, (pool) => applySchema(pool, schema), { needsSchema: false });
  process.stdout.write(
    before === schemaVersion
      ? `The schema "${schema}" is there already, at version ${schemaVersion}.\n`
      : `The schema "${schema}" is ready, at version ${schemaVersion}.\n`,
  );
  return exitCodes.done;
}
