"use strict";

const viewer = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null, // the default asks a server on the Internet
});

const people = document.getElementById("people");
const said = document.getElementById("said");

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `出错了（${response.status}）`);
  return answer;
}

async function logIn(person, button) {
  said.textContent = "正在登录…";
  try {
    const session = await answerOf(await fetch("/demo/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ openid: person.openid }),
    }));
    viewer.preauthorizeApiKey("session", session.token);
    for (const other of people.children) other.setAttribute("aria-pressed", String(other === button));
    said.textContent = `已登录：${person.label}` + (session.consent_needed ? "（还没有同意隐私指引）" : "");
  } catch (error) {
    said.textContent = error.message;
  }
}

async function showPeople() {
  try {
    for (const person of await answerOf(await fetch("/demo/people"))) {
      const button = document.createElement("button");
      button.textContent = person.label;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => logIn(person, button));
      people.append(button, " ");
    }
    if (!people.children.length) said.textContent = "还没有演示人员。";
  } catch (error) {
    said.textContent = error.message;
  }
}

showPeople();
