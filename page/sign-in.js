// @ts-check
// Sign-in at an OAuth 2.0 issuer: authorization code with PKCE, in a separate window. Only this module's memory has the
// tokens. Sources: RFC 6749, "Authorization Code Grant"; RFC 7636 (PKCE); RFC 7009 (revocation); RFC 9700, section 2.1.

/**
 * From `config.json`.
 *
 * @typedef {object} Issuer
 * @property {string} authorizationEndpoint
 * @property {string} tokenEndpoint
 * @property {string} [revocationEndpoint]
 * @property {string} clientId a public client for the code flow, with this page's `signed-in.html` as its redirect URI
 * @property {string} scope with spaces between
 * @property {string} [audience] the API that the token is for, if the issuer needs it
 */

/** `signed-in.html` passes on the issuer's answer there. */
export const CHANNEL = 'twolane-sign-in';

/** If the issuer does not say. */
const DEFAULT_LIFETIME_S = 300;

export class SignIn {
  #issuer;
  #redirectUri = new URL('signed-in.html', location.href).href;
  /** Not yet asked for. @type {import('./twolane-client.js').AccessToken | undefined} */
  #fresh;
  /** @type {string | undefined} */
  #refreshToken;
  /** @type {BroadcastChannel | undefined} */
  #channel;

  /** @param {Issuer} issuer */
  constructor(issuer) {
    this.#issuer = issuer;
  }

  /**
   * Opens the issuer's page in a window, and waits for the user's sign-in. Call it from a click: browsers block other
   * windows. A later call replaces one that still waits.
   */
  async open() {
    this.#channel?.close();
    const channel = new BroadcastChannel(CHANNEL);
    this.#channel = channel;
    const [state, verifier] = [random(), random()];
    const query = {
      response_type: 'code',
      client_id: this.#issuer.clientId,
      redirect_uri: this.#redirectUri,
      scope: this.#issuer.scope,
      state,
      code_challenge: base64Url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))),
      code_challenge_method: 'S256',
      ...(this.#issuer.audience && { audience: this.#issuer.audience }),
    };
    const address = new URL(this.#issuer.authorizationEndpoint);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    const answered = new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        // Ignores another sign-in's answer.
        if (data?.state === state) resolve(data);
      };
    });
    if (!window.open(address, '_blank', 'popup,width=520,height=720')) {
      throw new Error('the browser blocked the window. Allow pop-ups for this page');
    }
    const { code, error, description } = await answered;
    channel.close();
    if (!code) throw new Error(description ?? error ?? 'the issuer sent no code');
    await this.#ask({ grant_type: 'authorization_code', code, redirect_uri: this.#redirectUri, code_verifier: verifier });
  }

  /**
   * A new access token: from the sign-in, then renewed ones.
   *
   * @returns {Promise<import('./twolane-client.js').AccessToken>} rejects when the user must sign in again
   */
  async token() {
    if (!this.#fresh) {
      if (!this.#refreshToken) throw new Error('sign in again');
      await this.#ask({ grant_type: 'refresh_token', refresh_token: this.#refreshToken });
    }
    const token = this.#fresh;
    this.#fresh = undefined;
    return /** @type {import('./twolane-client.js').AccessToken} */ (token);
  }

  /** Without the user. */
  get canRenew() {
    return this.#refreshToken !== undefined;
  }

  /** Ends the refresh token, if the issuer supports that. The access token lasts until it expires. */
  async close() {
    const [endpoint, token] = [this.#issuer.revocationEndpoint, this.#refreshToken];
    this.#fresh = this.#refreshToken = undefined;
    if (endpoint && token) await this.#send(endpoint, { token, token_type_hint: 'refresh_token' });
  }

  /** Gets tokens. @param {Record<string, string>} form */
  async #ask(form) {
    const response = await this.#send(this.#issuer.tokenEndpoint, form);
    const body = await response.json();
    if (!response.ok || !body.access_token) {
      // An issuer that is briefly down, or over its limit, has not ended the session.
      if (response.status < 500 && ![408, 429].includes(response.status)) this.#refreshToken = undefined;
      throw new Error(body.error_description ?? body.error ?? `the issuer answered ${response.status}`);
    }
    // A refresh token stays unless it is replaced.
    this.#refreshToken = body.refresh_token ?? this.#refreshToken;
    this.#fresh = { token: body.access_token, expiresAt: Date.now() + (body.expires_in ?? DEFAULT_LIFETIME_S) * 1000 };
  }

  /** @param {string} endpoint @param {Record<string, string>} form */
  #send(endpoint, form) {
    const body = new URLSearchParams({ client_id: this.#issuer.clientId, ...form });
    return fetch(endpoint, { method: 'POST', body, cache: 'no-store', credentials: 'omit' });
  }
}

/** 256 random bits. */
function random() {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)).buffer);
}

/** @param {ArrayBuffer} bytes */
function base64Url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
