// node client.js ADDRESS PORT NAME VERSION: one HTTPS request of a client that trusts root.pem.
const [host, port, servername, version] = process.argv.slice(2);
const https = require("https");
const options = {
  host, port, servername, headers: { Host: servername }, agent: false,
  ca: require("fs").readFileSync("root.pem"), minVersion: version, maxVersion: version,
};
https
  .get(options, (reply) => { console.log("status", reply.statusCode); reply.resume(); })
  .on("error", (error) => console.log("error", error.code, error.message));
