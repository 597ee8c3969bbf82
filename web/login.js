import { get, post } from "/api.js";
import { attempt, byId } from "/dom.js";

byId("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, password } = event.target.elements;
  attempt(async () => {
    await post("session", { name: name.value, password: password.value });
    location.replace("/");
  });
});

get("setup").then((status) => { byId("set-up-hint").hidden = !status.needed; }, () => {});
