"""What came of a call, as JSON can say it: its result, or the error's name and the status that the server sent."""


def outcome(call):
    try:
        return call()
    except Exception as error:
        answer = getattr(error, "response", None)
        if isinstance(answer, dict):  # boto3's
            code = answer.get("Error", {}).get("Code")
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return {"error": code, "status": status}
        status = getattr(answer, "status_code", None)
        return {"error": type(error).__name__, "status": status, "said": str(error)}
