/** One decided check as a story looks at it: the outcome, what was asked, and what it was decided against. */
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import { readShape } from '../request/shape.js';
import type { Shape } from '../request/shape.js';
import type { StoryContext } from './story-context.js';

export interface Scene {
  readonly outcome: Outcome;
  /** Undefined where the bytes were no CheckRequest. */
  readonly attributes: Attributes | undefined;
  /** Undefined where the request can be read in several ways. */
  readonly shape: Shape | undefined;
  readonly context: StoryContext;
}

export function sceneOf(outcome: Outcome, attributes: Attributes | undefined, context: StoryContext): Scene {
  const shape = attributes && readShape(attributes, context.settings);
  return { outcome, attributes, shape: shape?.ok === true ? shape.value : undefined, context };
}
