// Node's own test runner and fetch, against a server that lives as long as the command:
//
//     revdesk-mock exec -- node --test examples/reminders
//
// `exec` sets REVDESK_API_URL and REVDESK_API_KEY. Each test takes a world of its own by a key of its own.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

const url = process.env.REVDESK_API_URL;

function world() {
  const headers = { authorization: `Bearer revdesk_${randomUUID()}`, "content-type": "application/json" };
  return async (method, path, body, more = {}) => {
    const answer = await fetch(url + path, {
      method,
      headers: { ...headers, ...more },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
}

const reminder = { phoneNumber: "+13125550101", script: "Your appointment is tomorrow at ten." };

test("a reminder is one call, and ends by the clock", async () => {
  const ask = world();
  const { data } = (await ask("POST", "/v1/calls", reminder)).body;
  await ask("POST", "/_revdesk/clock", { advance_seconds: 60 });
  assert.equal((await ask("GET", `/v1/calls/${data.call_id}`)).body.data.status, "COMPLETED");
});

test("a lost reply does not dial twice", async () => {
  const ask = world();
  await ask("POST", "/_revdesk/faults", { on: "POST /v1/calls", phase: "after_commit", do: "reset" });
  const key = { "idempotency-key": randomUUID() };
  await assert.rejects(ask("POST", "/v1/calls", reminder, key));
  const again = await ask("POST", "/v1/calls", reminder, key);
  assert.equal(again.headers.get("idempotency-replay"), "true");
  const { body: calls } = await ask("GET", "/_revdesk/state/calls");
  assert.equal(calls.filter((call) => call.to_number === reminder.phoneNumber).length, 1);
});

test("a refusal names the field", async () => {
  const { status, body } = await world()("POST", "/v1/calls", { phoneNumber: "312" });
  assert.equal(status, 400);
  assert.ok("phoneNumber" in body.error.fields);
});
