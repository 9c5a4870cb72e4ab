# Services for which the server chooses addresses and node ports. The script itself was not recorded: this one
# makes what the recorded output shows.
for i in {01..20}; do
  printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: s%s}\nspec: {ports: [{port: 80}]}\n' "$i"
done
for i in {01..10}; do
  printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: n%s}\nspec: {type: NodePort, ports: [{port: 80}]}\n' "$i"
done
for i in 1 2; do
  printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: l%s}\nspec: {type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]}\n' "$i"
done
