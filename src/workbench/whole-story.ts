/** A story whose remedy is whole. In: a story, what it was told from, a workbench. Out: the story. */
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import type { Workbench } from './open.js';
import type { StoryContext } from './story-context.js';
import type { Story } from './story.js';
import { wholeRemedy } from './whole-remedy.js';

type Bench = Pick<Workbench, 'config' | 'decide'> & { readonly sources: Pick<Workbench['sources'], 'snapshot'> };

export async function wholeStory(
  story: Story,
  outcome: Outcome,
  attributes: Attributes | undefined,
  context: StoryContext,
  { sources, config, decide }: Bench,
): Promise<Story> {
  if (story.remedy?.change === undefined || attributes === undefined) return story;
  const snapshot = sources.snapshot();
  const world = {
    attributes,
    outcome,
    context,
    snapshot,
    config,
    authorities: new Map(),
    token: undefined,
    supposing: [],
  };
  return { ...story, remedy: await wholeRemedy(story.remedy, world, decide) };
}
