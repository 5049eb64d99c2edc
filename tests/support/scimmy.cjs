// A SCIM service by scimmy and its routers, which keeps its users in memory. Prints its port once it serves.
const express = require("express");
const SCIMMY = require("scimmy").default ?? require("scimmy");
const SCIMMYRouters = require("scimmy-routers").default ?? require("scimmy-routers");

const users = new Map();
let made = 0;

SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .ingress((resource, user) => {
        const id = resource.id ?? String(++made);
        if (resource.id && !users.has(id)) throw new SCIMMY.Types.Error(404, null, `no user ${id}`);
        for (const [other, { userName }] of users) {
            if (other !== id && userName === user.userName) throw new SCIMMY.Types.Error(409, "uniqueness", "the name is taken");
        }
        users.set(id, JSON.parse(JSON.stringify({ ...user, id })));
        return users.get(id);
    })
    .egress((resource) => {
        if (resource.id) {
            if (!users.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `no user ${resource.id}`);
            return users.get(resource.id);
        }
        const all = [...users.values()];
        return resource.filter ? resource.filter.match(all) : all;
    })
    .degress((resource) => {
        users.delete(resource.id);
    });

const handler = (request) => {
    if (request.header("Authorization") !== "Bearer good") throw new Error("the token is not right");
    return "epms";
};
const app = express();
app.use("/scim/v2", new SCIMMYRouters({ type: "bearer", handler }));
const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/scim/v2`));
