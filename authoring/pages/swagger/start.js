// No validator badge and no remembered token: the page talks to this server only and keeps nothing.
SwaggerUIBundle({
  url: window.location.origin + "/schema/openapi.json", // a relative address would inherit credentials from the page's
  dom_id: "#swagger-ui",
  validatorUrl: null,
  persistAuthorization: false,
  deepLinking: true,
});
