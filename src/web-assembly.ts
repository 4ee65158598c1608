/** What of the WebAssembly API is used here; `lib` has no declaration of it without the DOM. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
  RuntimeError: new () => Error;
  CompileError: new () => Error;
}

const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** Makes an instance of a module that imports nothing, and returns what it exports. Synchronous. */
export function instantiate<Exports>(bytes: Uint8Array): Exports {
  return compile<Exports>(bytes)();
}

/** Compiles a module that imports nothing; each call of the result makes an instance of it. Throws what V8 cannot compile. */
export function compile<Exports>(bytes: Uint8Array): () => Exports {
  const module = new api.Module(bytes);
  return () => new api.Instance(module).exports as Exports;
}

/** Whether an error is a trap: the module's own `unreachable`, or an access beyond its memory. */
export function isTrap(error: unknown): boolean {
  return error instanceof api.RuntimeError;
}

/** Whether an error says that V8 cannot compile a module, on this processor at least. */
export function isCompileError(error: unknown): boolean {
  return error instanceof api.CompileError;
}
