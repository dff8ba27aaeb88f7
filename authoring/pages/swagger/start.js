// No validator badge and no remembered token: the page talks to this server only and keeps nothing.
SwaggerUIBundle({
  url: "/schema/openapi.json",
  dom_id: "#swagger-ui",
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
});
