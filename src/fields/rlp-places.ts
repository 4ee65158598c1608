import { entriesOf, type Field, type Fields } from "./field.js";

export interface RlpPlaces {
  /** The fields that are hashed, by their place: one, or two of which the first that is not null counts. */
  readonly places: readonly (readonly (readonly [name: string, field: Field])[])[];
  /** How many are always hashed. Those behind are hashed up to the last one that is not null. */
  readonly always: number;
}

/** What of an object is hashed, in the order of its RLP. Throws TypeError if a place between others has no field. */
export function rlpPlacesOf(fields: Fields): RlpPlaces {
  const hashed = entriesOf(fields).filter(([, { rlp }]) => rlp !== undefined);
  const count = Math.max(-1, ...hashed.map(([, { rlp }]) => rlp ?? -1)) + 1;
  const places = Array.from({ length: count }, (_, place) => hashed.filter(([, { rlp }]) => rlp === place));
  const hole = places.findIndex(({ length }) => length < 1 || length > 2);
  if (hole !== -1) throw new TypeError(`Place ${hole} of what is hashed has ${places[hole]?.length} fields`);
  const isOptional = (place: (typeof places)[number]) =>
    place.length === 1 && place[0]?.[1].since !== undefined;
  return { places, always: places.findLastIndex((place) => !isOptional(place)) + 1 };
}
