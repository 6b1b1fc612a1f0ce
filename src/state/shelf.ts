/**
 * Things at hand that cost some memory: a bounded number, of which those that were not used for long make room. In: what
 * wants to be kept. Out: whether it is. Once the shelf is full only one in a few gets a place, so that a crowd larger than the
 * shelf does not put away and fetch all day.
 */
export interface Shelved {
  /** Set by whoever uses it; taken back while room is looked for. */
  used: boolean;
  /** It has to go. */
  drop(): void;
}

export interface Shelf<T extends Shelved> {
  admit(item: T): boolean;
  clear(): void;
}

const ONE_IN = 8;
/** How many are asked for their place. */
const ASKED = 8;

export function createShelf<T extends Shelved>(max: number): Shelf<T> {
  let items: T[] = [];
  let hand = 0;
  let asked = 0;
  return {
    admit(item) {
      if (items.length < max) return items.push(item) > 0;
      asked += 1;
      if (asked % ONE_IN !== 0) return false;
      for (let tries = 0; tries < ASKED; tries += 1) {
        hand = (hand + 1) % max;
        const other = items[hand] as T;
        if (!other.used) {
          other.drop();
          items[hand] = item;
          return true;
        }
        other.used = false;
      }
      return false;
    },
    clear() {
      for (const item of items) item.drop();
      items = [];
    },
  };
}
