import { encodingsModule } from "./encodings-module.js";
import { fieldsModule, namesModule } from "./fields-module.js";
import { layoutModule } from "./layout-module.js";
import { rowsModule } from "./rows-module.js";
import { shapeModule } from "./shape-module.js";
import { typesModule } from "./types-module.js";

/**
 * The part of the direct way's AssemblyScript that follows from src/fields: the text of each file of the folder
 * `generated`, which src/direct/wasm imports from. Straight-line code, as a person would write it.
 */
export function generatedAssembly(): Record<string, string> {
  return {
    "encodings.ts": encodingsModule(),
    "fields.ts": fieldsModule(),
    "known-names.ts": namesModule(),
    "layout.ts": layoutModule(),
    "rows.ts": rowsModule(),
    "shape.ts": shapeModule(),
    "types.ts": typesModule(),
  };
}
