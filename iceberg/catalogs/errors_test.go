package catalogs

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/apache/iceberg-go/catalog/rest"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
)

// awsError is an answer of AWS: Glue and S3 report expired credentials with status 400.
func awsError(status int, code string) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code},
	}}
}

func TestUnauthorized(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"REST":                {rest.ErrForbidden, true},
		"PostgreSQL":          {&pgconn.PgError{Code: "28P01"}, true},
		"PostgreSQL, busy":    {&pgconn.PgError{Code: "53300"}, false},
		"S3":                  {awsError(403, "AccessDenied"), true},
		"S3, expired":         {awsError(400, "ExpiredToken"), true},
		"Glue, not allowed":   {awsError(400, "AccessDeniedException"), true},
		"Glue, unknown key":   {awsError(400, "UnrecognizedClientException"), true},
		"Glue, no such table": {awsError(400, "EntityNotFoundException"), false},
		"S3, down":            {awsError(503, "SlowDown"), false},
		"Azure":               {&azcore.ResponseError{StatusCode: 403, ErrorCode: "AuthorizationPermissionMismatch"}, true},
		"Azure, no container": {&azcore.ResponseError{StatusCode: 404}, false},
		"Azure, no login":     {&azidentity.AuthenticationFailedError{}, true},
		"GCS":                 {&googleapi.Error{Code: 401}, true},
		"GCS, down":           {&googleapi.Error{Code: 503}, false},
		"GCS, no login":       {&oauth2.RetrieveError{}, true},
		"network":             {errors.New("EOF"), false},
	} {
		if got := Unauthorized(fmt.Errorf("write: %w", c.err)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
