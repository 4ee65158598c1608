/** The process's environment. Only this folder reads it. */
export const environment: NodeJS.ProcessEnv = process.env;

// BLOCKMILL_DATABASE_URL and its like, what says where a credential lies, and the service's own folder for them.
const ours = /^(BLOCKMILL_(?!TEST_)|CREDENTIALS_DIRECTORY$)/;

/**
 * The environment for a child that is told its configuration in another way: without the variables that may hold it
 * or lead to it. PGPASSWORD and libpq's other variables stay, since a URL without a password connects by them.
 */
export function environmentOfChildren(env: NodeJS.ProcessEnv = environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)));
}
