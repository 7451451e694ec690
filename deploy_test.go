package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ficus-gateway/ficus/gateway/app"
	"github.com/ficus-gateway/ficus/routes"
)

const deploy = "docs/deploy/"

// strictly decodes every document of a YAML file; a key that v does not have is
// an error.
func strictly[T any](t *testing.T, path string) (all []T) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(readFile(t, path)))
	d.KnownFields(true)
	for {
		var one T
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, one)
	}
}

// manifests reads all of a directory, by kind and name.
func manifests(t *testing.T, dir string) map[string]manifest {
	t.Helper()
	type kustomization struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Namespace  string
		Resources  []string
	}
	k := strictly[kustomization](t, filepath.Join(dir, "kustomization.yaml"))[0]
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != len(k.Resources)+1 || k.Namespace != "shop" {
		t.Errorf("%s lists %v of %v in %q, %v", dir, k.Resources, files, k.Namespace, err)
	}
	versions := map[string]string{
		"ConfigMap": "v1", "Service": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "PodDisruptionBudget": "policy/v1",
		"HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1",
	}
	all := map[string]manifest{}
	for _, name := range k.Resources {
		for _, m := range strictly[manifest](t, filepath.Join(dir, name)) {
			id := m.Kind + " " + m.Metadata.Name
			if _, twice := all[id]; twice || m.APIVersion == "" || versions[m.Kind] != m.APIVersion || m.Metadata.Name == "" {
				t.Errorf("%s/%s: %s of %q, which is there twice: %v", dir, name, id, m.APIVersion, twice)
			}
			all[id] = m
		}
	}
	return all
}

// onlyEnv lets a config see these variables of those that it may name.
func onlyEnv(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range []string{"FICUS_SECRET", "REDIS_PASSWORD"} {
		t.Setenv(name, "") // so that it is put back
		os.Unsetenv(name)
		if slices.Contains(names, name) {
			os.Setenv(name, strings.Repeat("s", 32))
		}
	}
}

// load loads a config that a manifest contains.
func load(t *testing.T, text string) (*routes.Table, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ficus.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := routes.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range table.Warnings {
		t.Errorf("a warning: %v", w)
	}
	return table, file
}

func TestKubernetesManifestsFitTheGatewayAndOneAnother(t *testing.T) {
	for dir, kind := range map[string]string{"several": "Deployment", "one": "StatefulSet"} {
		t.Run(dir, func(t *testing.T) {
			all := manifests(t, deploy+"kubernetes/"+dir)
			workload := all[kind+" ficus"]
			pod := workload.Spec.Template
			if len(pod.Spec.Containers) != 1 {
				t.Fatalf("%d containers", len(pod.Spec.Containers))
			}
			c := pod.Spec.Containers[0]
			var env []string
			for _, e := range c.Env {
				env = append(env, e.Name)
				if (e.Value == "") == (e.ValueFrom.SecretKeyRef.Key == "") {
					t.Errorf("%s has no value, or two", e.Name)
				}
			}
			onlyEnv(t, env...)
			table, file := load(t, all["ConfigMap ficus"].Data["ficus.yaml"])
			s := table.Server

			ports := map[string]string{}
			for _, p := range c.Ports {
				ports[p.Name] = fmt.Sprint(p.ContainerPort)
			}
			_, public, _ := net.SplitHostPort(s.Listen[0].Address)
			_, admin, _ := net.SplitHostPort(s.Admin.Address)
			if want := map[string]string{"http": public, "admin": admin}; !maps.Equal(ports, want) {
				t.Errorf("the ports are %v, the config listens on %v", ports, want)
			}
			for name, p := range map[string]probe{"startup": c.StartupProbe, "readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
				if p.HTTPGet.Port != "admin" || p.PeriodSeconds == 0 {
					t.Errorf("the %s probe: %+v", name, p)
				}
			}
			probed(t, file, s.Admin.Hosts[0], c.StartupProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path, c.LivenessProbe.HTTPGet.Path)

			if end := s.Shutdown.Delay + s.Shutdown.Timeout; time.Duration(pod.Spec.TerminationGracePeriodSeconds)*time.Second < end+5*time.Second {
				t.Errorf("the pod has %d s to end, and the gateway takes up to %v", pod.Spec.TerminationGracePeriodSeconds, end)
			}
			if s.Shutdown.Delay < 5*time.Second {
				t.Errorf("the endpoints have %v to go", s.Shutdown.Delay)
			}

			// What is written lies on a volume that can be written, and the config on one that changes.
			volumes := map[string]bool{}
			for _, v := range pod.Spec.Volumes {
				volumes[v.Name] = v.EmptyDir != nil
				if v.ConfigMap.Name != "" && all["ConfigMap "+v.ConfigMap.Name].Kind == "" {
					t.Errorf("there is no ConfigMap %s", v.ConfigMap.Name)
				}
			}
			for _, v := range workload.Spec.VolumeClaimTemplates {
				volumes[v.Metadata.Name] = true
			}
			mounts := map[string]bool{}
			for _, m := range c.VolumeMounts {
				writable, ok := volumes[m.Name]
				if !ok || writable == m.ReadOnly {
					t.Errorf("%s is mounted from a volume that is not there, or must not be written", m.MountPath)
				}
				mounts[m.MountPath] = writable
			}
			for _, path := range []string{s.Beside(), filepath.Dir(s.Admin.Socket), filepath.Dir(s.Admin.Token)} {
				if !mounts[path] {
					t.Errorf("nothing can be written in %s", path)
				}
			}
			if i := slices.Index(c.Args, "-c"); i < 0 || c.Args[0] != "run" || filepath.Base(c.Args[i+1]) != "ficus.yaml" {
				t.Errorf("it runs %v", c.Args)
			} else if writable, ok := mounts[filepath.Dir(c.Args[i+1])]; !ok || writable {
				t.Errorf("the config is not mounted: %v", c.Args)
			}
			for _, e := range c.Env {
				if e.Name == "FICUS_ADMIN" && e.Value != "unix:"+s.Admin.Socket {
					t.Errorf("commands ask %s, and the socket is %s", e.Value, s.Admin.Socket)
				}
			}
			harmless(t, pod)

			selects(t, all, pod.Metadata.Labels)
			for id, m := range all {
				if m.Kind != "Service" || m.Spec.Selector["app.kubernetes.io/name"] != "ficus" {
					continue
				}
				for _, p := range m.Spec.Ports {
					if ports[p.TargetPort] == "" {
						t.Errorf("%s leads to the port %q", id, p.TargetPort)
					}
					if (p.TargetPort == "admin") != (m.Metadata.Name == "ficus-admin") {
						t.Errorf("%s leads to %s", id, p.TargetPort)
					}
				}
				if m.Metadata.Name == "ficus-admin" && !slices.Contains(s.Admin.Hosts, "ficus-admin.shop.svc") {
					t.Errorf("the admin listener is not asked for by the name of its Service: %v", s.Admin.Hosts)
				}
			}
		})
	}
}

// harmless reports what a pod may do beyond its work.
func harmless(t *testing.T, pod podTemplate) {
	t.Helper()
	s := pod.Spec.SecurityContext
	if !s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile["type"] != "RuntimeDefault" || pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
		t.Errorf("the pod: %+v", s)
	}
	if s.FSGroup == 65532 && s.FSGroupChangePolicy != "OnRootMismatch" {
		t.Error("files with tokens would be made readable by a group")
	}
	for _, c := range pod.Spec.Containers {
		if e := c.SecurityContext.AllowPrivilegeEscalation; e == nil || *e || !c.SecurityContext.ReadOnlyRootFilesystem || !slices.Equal(c.SecurityContext.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: %+v", c.Name, c.SecurityContext)
		}
		if c.Resources.Limits["memory"] == "" || c.Resources.Requests["cpu"] == "" {
			t.Errorf("%s has no bounds: %+v", c.Name, c.Resources)
		}
	}
}

// selects checks that whatever selects gateways selects these pods, and that
// what is for Redis selects it.
func selects(t *testing.T, all map[string]manifest, labels map[string]string) {
	t.Helper()
	for id, m := range all {
		want := labels
		if strings.HasSuffix(id, "-redis") {
			want = all["StatefulSet ficus-redis"].Spec.Template.Metadata.Labels
		}
		got := map[string]any(nil)
		switch m.Kind {
		case "Service":
			got = m.Spec.Selector
		case "NetworkPolicy":
			got = map[string]any{}
			for k, v := range m.Spec.PodSelector.MatchLabels {
				got[k] = v
			}
			for _, in := range m.Spec.Ingress {
				if len(in.From) == 0 || len(in.Ports) != 1 {
					t.Errorf("%s lets in everybody, or nobody: %+v", id, in)
				}
			}
		case "Deployment", "StatefulSet", "PodDisruptionBudget":
			got, _ = m.Spec.Selector["matchLabels"].(map[string]any)
		case "HorizontalPodAutoscaler":
			to := m.Spec.ScaleTargetRef
			if target := all[to.Kind+" "+to.Name]; target.APIVersion != to.APIVersion || target.Spec.Replicas != nil {
				t.Errorf("%s scales %+v, whose replicas are %v", id, to, target.Spec.Replicas)
			}
			continue
		default:
			continue
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s selects %v, the pods have %v", id, got, want)
			}
		}
		if len(got) == 0 {
			t.Errorf("%s selects everything", id)
		}
	}
}

// probed runs a gateway by a config, but for its log and its addresses, and
// asks as a kubelet does: by the address of the pod.
func probed(t *testing.T, config, host string, paths ...string) {
	t.Helper()
	dir := t.TempDir()
	text := readFile(t, config)
	text = regexp.MustCompile(`(?m)^state:.*(\n +.*)*`).ReplaceAllString(text, "state: file:"+filepath.Join(dir, "ficus.events"))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := ln.Addr().String()
	ln.Close()
	text = strings.ReplaceAll(text, "0.0.0.0:9900", admin)
	text = strings.ReplaceAll(text, "delay: 10s", "delay: 0s")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	var said strings.Builder
	go func() {
		done <- app.Run(ctx, app.WithArgs("run", "-c", config, "--listen", "127.0.0.1:0"), app.WithOutput(io.Discard, &said))
	}()
	defer func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("the gateway ended with exit code %d: %s", code, said.String())
		}
	}()
	ask := func(path, host string) (int, error) {
		r, err := http.NewRequest(http.MethodGet, "http://"+admin+path, nil)
		if err != nil {
			return 0, err
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		return res.StatusCode, nil
	}
	for _, path := range paths {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			status, err := ask(path, "10.42.0.7:9900")
			if status == http.StatusOK {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d, %v", path, status, err)
			}
		}
	}
	if status, err := ask("/api/state", host); status != http.StatusOK && status != http.StatusUnauthorized {
		t.Errorf("by its host it answers %d, %v", status, err)
	}
}

func TestComposeFileFitsTheGateway(t *testing.T) {
	type service struct {
		Image           string
		Restart         string
		DependsOn       []string `yaml:"depends_on"`
		Environment     map[string]string
		ExtraHosts      []string      `yaml:"extra_hosts"`
		StopGracePeriod time.Duration `yaml:"stop_grace_period"`
		ReadOnly        bool          `yaml:"read_only"`
		CapDrop         []string      `yaml:"cap_drop"`
		SecurityOpt     []string      `yaml:"security_opt"`
		Ports           []string
		Volumes         []string
		Command         []string
	}
	type compose struct {
		Name     string
		Gateway  service `yaml:"x-gateway"`
		Services map[string]service
		Volumes  map[string]any
	}
	f := strictly[compose](t, deploy+"compose/compose.yaml")[0]
	example := readFile(t, deploy+"compose/env.example")
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(readFile(t, deploy+"compose/compose.yaml"), -1) {
		if !strings.Contains(example, "\n"+m[1]+"=") {
			t.Errorf("env.example lacks %s", m[1])
		}
	}
	for _, name := range []string{"one", "two"} {
		s := f.Services[name]
		onlyEnv(t, slices.Collect(maps.Keys(s.Environment))...)
		table, _ := load(t, readFile(t, deploy+"compose/config/ficus.yaml"))
		if end := table.Server.Shutdown.Delay + table.Server.Shutdown.Timeout; s.StopGracePeriod < end+5*time.Second {
			t.Errorf("%s has %v to end, and takes up to %v", name, s.StopGracePeriod, end)
		}
		if s.Environment["FICUS_ADMIN"] != "unix:"+table.Server.Admin.Socket {
			t.Errorf("%s: commands ask %s", name, s.Environment["FICUS_ADMIN"])
		}
		_, port, _ := net.SplitHostPort(table.Server.Listen[0].Address)
		if len(s.Ports) != 1 || !strings.HasSuffix(s.Ports[0], ":"+port) {
			t.Errorf("%s publishes %v, and listens on %s only", name, s.Ports, port)
		}
		if !slices.Equal(s.Volumes, []string{"./config:/etc/ficus:ro", name + ":" + table.Server.Beside()}) {
			t.Errorf("%s mounts %v", name, s.Volumes)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: %+v", name, s)
		}
		if host := "redis"; !slices.Contains(s.DependsOn, host) || !strings.Contains(table.Server.State, "//"+host+":") || f.Services[host].Image == "" {
			t.Errorf("%s: its log is %s", name, table.Server.State)
		}
	}
	for _, s := range f.Services {
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, ok := f.Volumes[source]; !ok && !strings.HasPrefix(source, "./") {
				t.Errorf("there is no volume %s", source)
			}
		}
	}
}

// unit reads the settings of a unit file, the last of each name.
func unit(t *testing.T, name string) map[string]string {
	t.Helper()
	settings := map[string]string{}
	for line := range strings.Lines(readFile(t, deploy+"systemd/"+name)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			settings[key] = value
		}
	}
	return settings
}

func TestSystemdUnitsFitTheGateway(t *testing.T) {
	s := unit(t, "ficus.service")
	args := strings.Fields(s["ExecStart"])
	if args[1] != "run" || help(t, "run") == "" || args[2] != "-c" {
		t.Errorf("it runs %v", args)
	}
	table, err := routes.Default("http://127.0.0.1:3000")
	if err != nil {
		t.Fatal(err)
	}
	stop, err := time.ParseDuration(s["TimeoutStopSec"])
	if end := table.Server.Shutdown.Delay + table.Server.Shutdown.Timeout; err != nil || stop < end+5*time.Second {
		t.Errorf("it has %v to end, and takes up to %v; %v", stop, end, err)
	}
	for key, want := range map[string]string{
		"Type": "notify", "NotifyAccess": "main", "ExecReload": "/bin/kill -HUP $MAINPID", "KillMode": "control-group",
		"WorkingDirectory": "/var/lib/" + s["StateDirectory"], "NoNewPrivileges": "yes", "ProtectSystem": "strict",
	} {
		if s[key] != want {
			t.Errorf("%s=%s, want %s", key, s[key], want)
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: THE UNITS ARE NOT VERIFIED BY SYSTEMD")
	}
	dir := t.TempDir()
	for _, name := range []string{"ficus.service", "ficus.socket"} {
		text := strings.ReplaceAll(readFile(t, deploy+"systemd/"+name), args[0], "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", filepath.Join(dir, name)).CombinedOutput()
		if err != nil || strings.Contains(string(out), dir) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestDockerfileMakesAnImageThatNeedsNoRights(t *testing.T) {
	_, last, ok := strings.Cut(readFile(t, "Dockerfile"), "\nFROM scratch\n")
	if !ok {
		t.Fatal("the image is not made from scratch")
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "\nSTOPSIGNAL SIGTERM\n", "\nWORKDIR /var/lib/ficus\n", "\nENTRYPOINT [\"/ficus\"]\n", "\nCMD [\"run\", \"-c\", \"/etc/ficus/ficus.yaml\"]\n"} {
		if !strings.Contains("\n"+last, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	check := regexp.MustCompile(`HEALTHCHECK .*CMD \["/ficus", "([a-z]+)", "(--[a-z]+)"\]`).FindStringSubmatch(last)
	if check == nil || !strings.Contains(help(t, check[1]), check[2]) {
		t.Errorf("the health check: %v", check)
	}
}
