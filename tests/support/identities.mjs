// A provider of identities by oidc-provider: `ada` leads, `bo` is on the staff, everybody else is in no group. Where it sends people
// back to is its first argument. Prints where it serves.
import crypto from "node:crypto";
import http from "node:http";

const { default: Provider } = await import(`${process.env.MODULES}/oidc-provider/lib/index.js`);

const server = http.createServer();
await new Promise((serves) => server.listen(0, "127.0.0.1", serves));
// Another site than the page's, as a browser sees it.
const issuer = `http://localhost:${server.address().port}`;
const groups = { ada: ["staff", "leads"], bo: ["staff"] };
const key = (kind, options, more) => ({
    ...crypto.generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }),
    use: "sig",
    ...more,
});

const provider = new Provider(issuer, {
    clients: [
        {
            client_id: "epms",
            client_secret: "a secret & more",
            redirect_uris: [process.argv[2]],
            id_token_signed_response_alg: process.argv[3] ?? "RS256",
        },
    ],
    jwks: { keys: [key("rsa", { modulusLength: 2048 }, { alg: "RS256", kid: "r" }), key("ec", { namedCurve: "P-256" }, { alg: "ES256", kid: "e" })] },
    cookies: { keys: ["a key of tests"] },
    claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
    scopes: ["openid", "profile", "groups"],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, preferred_username: id, groups: groups[id] ?? [] }),
    }),
    // Nobody is asked whether they agree.
    async loadExistingGrant({ oidc }) {
        const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
        grant.addOIDCScope("openid profile groups");
        await grant.save();
        return grant;
    },
});
const serve = provider.callback();

server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return serve(request, response);
    if (request.method === "POST") {
        let body = "";
        for await (const part of request) body += part;
        const accountId = new URLSearchParams(body).get("login");
        return provider.interactionFinished(request, response, { login: { accountId } });
    }
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>Who are you?</title><form method="post"><input name="login"><button>Go on</button></form>`);
});
console.log(issuer);
