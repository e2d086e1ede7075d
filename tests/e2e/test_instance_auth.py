"""Who may use the REST API, asked of the real qos_core with signatures of an independent implementation."""


def test_info_names_the_enclave_and_its_phase(instance):
    info = instance.info()
    assert info["phase"] == "WaitingForBootInstruction" and info["simulated"] is True
    assert info["healthy"] is True and info["enclave_id"] == instance.id


def test_unknown_paths_and_methods_are_refused_in_one_shape(instance):
    assert "path" in instance.refused(404, "GET", "/enclave/nothing")
    assert "method" in instance.refused(405, "DELETE", "/enclave/info")
    assert instance.call("GET", "/nothing", request_id="mine")[1]["request_id"] == "mine"
