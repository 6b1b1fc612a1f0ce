/** An issuer's settings where its entry sets nothing: what the one table of defaults says, and nothing of our own. */
import { Config } from '../config/schema.js';
import { settingsOf } from '../config/settings.js';
import type { IssuerSettings } from '../model/settings.js';

export function defaultIssuer(): IssuerSettings {
  const entry = { issuer: 'https://issuer.example', keys: 'keys.json', audiences: ['any'] };
  const [issuer] = settingsOf(Config.parse({ tokens: [entry], policy: { scopes: 'none' } }), '/', {}).tokens;
  if (issuer === undefined) throw new Error('the schema gave no issuer');
  return issuer;
}
