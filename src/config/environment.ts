/** The process's environment. Only this folder reads it. */
export const environment: NodeJS.ProcessEnv = process.env;
