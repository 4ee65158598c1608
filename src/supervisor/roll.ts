import { type Role, roleRow } from "../child/roles.js";

/** One place in the line-up, as a roll sees it. */
export interface RolledPlace {
  readonly role: Role;
}

/** What a roll does with places. */
export interface Verbs<P extends RolledPlace> {
  /** Opens a place of the new generation. Resolves when its child is ready; rejects when it is not to be. */
  open(role: Role): Promise<void>;
  /** Opens a place like one that was retired. */
  reopen(place: P): void;
  /** Lets a place's child finish what it holds. Resolves when it is gone. */
  retire(place: P): Promise<void>;
  /** Whether one more child of the new generation fits into the connections that we may open. */
  fits(role: Role): boolean;
}

export interface RollOptions<P extends RolledPlace> extends Verbs<P> {
  /** The places of the generation that is to go. */
  old: P[];
  /** Who is in the new generation. */
  wanted: readonly Role[];
}

/**
 * Replaces one generation of children by the next, a child at a time. Rejects when a new child does not
 * become ready; the old ones that still stand then stay.
 */
export async function roll<P extends RolledPlace>({ old, wanted, ...verbs }: RollOptions<P>): Promise<void> {
  const left = [...old];
  for (const role of wanted) {
    const at = left.findIndex((place) => place.role === role);
    const [before] = at === -1 ? [] : left.splice(at, 1);
    if (before === undefined) await verbs.open(role);
    else await replace(before, verbs);
  }
  for (const place of left) await verbs.retire(place);
}

/**
 * Replaces one child: the new one is ready before the old one drains, so that the work goes on. Where the role does
 * not allow both at a time, or the connections do not suffice for them, the old one goes first. Rejects when the new one does not become
 * ready; then the old one stays, or one like it is back.
 */
export async function replace<P extends RolledPlace>(
  place: P,
  { open, reopen, retire, fits }: Verbs<P>,
): Promise<void> {
  if (roleRow(place.role).rolled === "overlapping" && fits(place.role)) {
    await open(place.role);
    await retire(place);
    return;
  }
  await retire(place);
  try {
    await open(place.role);
  } catch (error) {
    reopen(place);
    throw error;
  }
}
