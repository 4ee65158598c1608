/** A second request for every so many pieces of work, at the most. */
const share = 0.05;
const most = 5;

/** Keeps second requests to a twentieth of the work, so that a slow chain is not asked twice for everything. */
export class HedgeBudget {
  #saved = 1;

  get canSpend(): boolean {
    return this.#saved >= 1;
  }

  earn(): void {
    this.#saved = Math.min(most, this.#saved + share);
  }

  spend(): void {
    this.#saved -= 1;
  }
}
