import { post } from "/api.js";
import { attempt, byId, notice } from "/dom.js";

// The code stands behind the # so that no server log and no proxy ever sees it.
const fromLink = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", "/setup");
byId("code-label").hidden = fromLink !== "";

byId("setup-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { code, name, password, again } = event.target.elements;
  if (password.value !== again.value) return notice("The two passwords differ.", "Type the same one twice.");
  attempt(async () => {
    await post("setup", { code: fromLink || code.value.trim(), name: name.value, password: password.value });
    location.replace("/");
  });
});
